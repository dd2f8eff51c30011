#include "media/vp9_config.hpp"

#include "test_media_support.hpp"

namespace {

using namespace recording;
using test::from_hex;

struct Vp9Encoded {
  const char* what;
  const char* record;
  const char* frame;       // how its first key frame begins
  const char* by_ffprobe;  // but for the level, which it does not say
};

// libvpx's
const Vp9Encoded kEncoded[] = {
    {"0", "000b820202020000", "824983420013f00b360638241c184a00",
     "vp9 | Profile 0 | 11 | 320 | 180 | 1:1 | yuv420p | tv | - | - | - | 8 | false | 0 | -"},
    {"0 full 709", "0015830101010000", "824983425027f016760638241c184a10",
     "vp9 | Profile 0 | 21 | 640 | 360 | 1:1 | yuv420p | pc | bt709 | bt709 | bt709 | 8 | false"
     " | 0 | -"},
    {"1 444", "010b860202020000", "a249834200027e0166c0c70483830940",
     "vp9 | Profile 1 | 11 | 320 | 180 | 1:1 | yuv444p | tv | - | - | - | 8 | false | 0 | -"},
    {"1 422", "010b840202060000", "a249834268027e0166c0c70483830940",
     "vp9 | Profile 1 | 11 | 320 | 180 | 1:1 | yuv422p | tv | - | - | smpte170m | 8 | false | 0"
     " | -"},
    {"1 rgb", "010b870202000000", "a2498342e013f00b360638241c184a00",
     "vp9 | Profile 1 | 11 | 320 | 180 | 1:1 | gbrp | pc | - | - | gbr | 8 | false | 0 | -"},
    {"2 10 pq", "021fa20910090000", "924983425027f8167b031c120e0c2c0c",
     "vp9 | Profile 2 | 31 | 1280 | 720 | 1:1 | yuv420p10le | tv | bt2020 | smpte2084 | bt2020n"
     "c | 10 | false | 0 | -"},
    {"3 422 12", "030bc40202020000", "b124c1a142009f8059b031c120e0c2e0",
     "vp9 | Profile 3 | 11 | 320 | 180 | 1:1 | yuv422p12le | tv | - | - | - | 12 | false | 0 | "
     "-"},
};

void says_what_ffprobe_says(void**) {
  for (const Vp9Encoded& encoded : kEncoded) {
    auto config = media::parse_vp9_config(from_hex(encoded.record));
    auto frame = media::parse_vp9_key_frame(from_hex(encoded.frame));
    assert_true(bool(config) && bool(frame));
    test::assert_said(encoded.what, config.value().track(frame.value()), encoded.by_ffprobe);
  }
}

void the_record_is_the_encoders(void**) {
  for (const Vp9Encoded& encoded : kEncoded) {
    const auto frame = media::parse_vp9_key_frame(from_hex(encoded.frame)).value();
    const Bytes record = from_hex(encoded.record);
    Bytes written = media::parse_vp9_config(record).value().track(frame).record;
    written[1] = record[1];
    // Where 4:2:0's chroma is, and a matrix that only the frame has, may differ.
    assert_int_equal(written[2] & 0xF1, record[2] & 0xF1);
    written[2] = record[2];
    written[5] = record[5];
    assert_true(written == record);
  }
}

void the_boxs_version_may_come_with_it(void**) {
  const Bytes record = from_hex("0115830101010000");
  Bytes boxed = from_hex("01000000");
  put_bytes(boxed, record);
  const auto frame = media::parse_vp9_key_frame(from_hex(kEncoded[0].frame)).value();
  assert_true(media::parse_vp9_config(record).value().track(frame).record ==
              media::parse_vp9_config(boxed).value().track(frame).record);
  assert_false(bool(media::parse_vp9_config(ByteView(record).first(5))));
}

void only_key_frames_say_something(void**) {
  auto inter = media::parse_vp9_key_frame(from_hex("8600402ff2"));
  assert_true(!inter && inter.error().code == Errc::kNotFound);
  for (const char* damaged : {"", "82", "824983420013f0", "8249834300", "0249834200"}) {
    auto frame = media::parse_vp9_key_frame(from_hex(damaged));
    assert_true(!frame && frame.error().code == Errc::kCorrupt);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(says_what_ffprobe_says),
      cmocka_unit_test(the_record_is_the_encoders),
      cmocka_unit_test(the_boxs_version_may_come_with_it),
      cmocka_unit_test(only_key_frames_say_something),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
