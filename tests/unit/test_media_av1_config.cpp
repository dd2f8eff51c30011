#include "media/av1_config.hpp"

#include "support/bit_writer.hpp"
#include "test_media_support.hpp"

namespace {

using namespace recording;
using test::from_hex;

// Records of libsvtav1 and libaom.
const test::Encoded kEncoded[] = {
    {"svt", "81010c000a0b0000000cc4ff6700be0010",
     "av1 | Main | 1 | 640 | 360 | 1:1 | yuv420p | tv | - | - | - | 8 | false | 0 | -"},
    {"svt 10 pq", "81054c000a0e0000002d4cffb3c02f8509100904",
     "av1 | Main | 5 | 1280 | 720 | 1:1 | yuv420p10le | tv | bt2020 | smpte2084 | bt2020nc | 10"
     " | false | 0 | -"},
    {"aom 709 full", "81000c000a0e000000043cfeccdaf91010101840",
     "av1 | Main | 0 | 320 | 180 | 1:1 | yuv420p | pc | bt709 | bt709 | bt709 | 8 | false | 0 |"
     " -"},
    {"aom 444", "812000000a0a200000043d06d4daf902",
     "av1 | High | 0 | 322 | 182 | 1:1 | yuv444p | tv | - | - | - | 8 | false | 0 | -"},
    {"aom 422", "814008000a0a400000043cfeccdaf901",
     "av1 | Professional | 0 | 320 | 180 | 1:1 | yuv422p | tv | - | - | - | 8 | false | 0 | -"},
    {"aom 420 12", "81406c000a0b400000043cfeccdaf96308",
     "av1 | Professional | 0 | 320 | 180 | 1:1 | yuv420p12le | tv | - | - | - | 12 | false | 0 "
     "| -"},
    {"aom gray10", "81005c000a0a000000043cfeccdaf96a",
     "av1 | Main | 0 | 320 | 180 | 1:1 | gray10le | pc | - | - | - | 10 | false | 0 | -"},
    {"aom rgb", "812000000a0d200000043cfeccdaf92021a004",
     "av1 | High | 0 | 320 | 180 | 1:1 | gbrp | pc | bt709 | iec61966-2-1 | gbr | 8 | false | 0"
     " | -"},
};

void says_what_ffprobe_says(void**) {
  for (const test::Encoded& encoded : kEncoded) {
    auto config = media::parse_av1_config(from_hex(encoded.record));
    assert_true(bool(config));
    test::assert_said(encoded.what, config.value().track(), encoded.by_ffprobe);
  }
}

void the_record_is_the_encoders(void**) {
  for (const test::Encoded& encoded : kEncoded) {
    const Bytes record = from_hex(encoded.record);
    assert_true(media::parse_av1_config(record).value().track().record == record);
  }
}

void a_key_frames_own_header_makes_the_same_track(void**) {
  for (const test::Encoded& encoded : kEncoded) {
    const Bytes record = from_hex(encoded.record);
    const auto config = media::av1_config_of(ByteView(record).subspan(4)).value();
    assert_true(config.track().record == record);
    assert_true(config.in_band() == Bytes(record.begin() + 4, record.end()));
  }
}

void timing_operating_points_and_sizes_are_read(void**) {
  test::BitWriter bits;
  bits.bits(3, 0).bits(1, 0).bits(1, 0);               // profile, no still picture, not reduced
  bits.bits(1, 1).bits(32, 1001).bits(32, 30000);      // timing info
  bits.bits(1, 1).ue(1);                               // equal interval, of two ticks
  bits.bits(1, 1).bits(5, 9).bits(32, 1).bits(10, 0);  // decoder model, delays of 10 bits
  bits.bits(1, 1).bits(5, 1);                          // display delay, two operating points
  bits.bits(12, 1).bits(5, 13).bits(1, 1).bits(1, 1).bits(21, 0).bits(1, 1).bits(4, 3);
  bits.bits(12, 2).bits(5, 4).bits(1, 0).bits(1, 0);
  bits.bits(4, 10).bits(4, 9).bits(11, 1279).bits(10, 719);
  bits.bits(1, 1).bits(7, 0);                        // frame ids
  bits.bits(3, 0).bits(4, 0).bits(1, 1).bits(2, 0);  // … order hints
  bits.bits(1, 0).bits(1, 0).bits(3, 6);             // screen content tools chosen never
  bits.bits(3, 0);
  bits.bits(1, 1).bits(1, 0).bits(1, 0).bits(1, 1).bits(2, 2).bits(2, 0).bits(8, 0x80);
  const auto sequence = media::parse_av1_sequence(bits.bytes()).value();
  assert_int_equal(sequence.width, 1280);
  assert_int_equal(sequence.height, 720);
  assert_int_equal(sequence.level, 13);
  assert_int_equal(sequence.tier, 1);
  assert_int_equal(sequence.bit_depth, 10);
  assert_true(sequence.full_range);
  assert_int_equal(sequence.chroma_sample_position, 2);
  assert_int_equal(sequence.num_units_in_tick, 2002);
  assert_int_equal(sequence.time_scale, 30000);
}

void a_record_may_lack_its_sequence_header(void**) {
  auto config = media::parse_av1_config(from_hex("81000c00"));
  assert_false(bool(config));
  assert_true(config.error().code == Errc::kNotFound);
}

void what_is_damaged_is_refused(void**) {
  const Bytes record = from_hex(kEncoded[0].record);
  for (std::size_t size = 0; size < record.size(); ++size) {
    assert_false(bool(media::parse_av1_config(ByteView(record).first(size))));
  }
  assert_true(media::parse_av1_config(from_hex("80000c00")).error().code == Errc::kCorrupt);
  assert_false(media::parse_av1_obu(from_hex("8a00"), 2).has_value());    // forbidden bit
  assert_false(media::parse_av1_obu(from_hex("0a05"), 2).has_value());    // beyond the end
  assert_false(media::parse_av1_obu(from_hex("0a8080"), 3).has_value());  // ends in its size
  const auto obu = media::parse_av1_obu(from_hex("0e08830100"), 200).value();
  assert_int_equal(obu.type, 1);
  assert_int_equal(obu.header_size, 4);
  assert_int_equal(obu.payload_size, 131);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(says_what_ffprobe_says),
      cmocka_unit_test(the_record_is_the_encoders),
      cmocka_unit_test(a_key_frames_own_header_makes_the_same_track),
      cmocka_unit_test(timing_operating_points_and_sizes_are_read),
      cmocka_unit_test(a_record_may_lack_its_sequence_header),
      cmocka_unit_test(what_is_damaged_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
