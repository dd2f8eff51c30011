// What H.265, AV1 and VP9 say in the course of a session, and what their key frames are given.
#include "media/hevc_config.hpp"
#include "media/video_source.hpp"

#include "test_media_support.hpp"

namespace {

using namespace recording;
using test::from_hex;

constexpr const char* kSmall =  // libx265, 320x180: VPS, SPS and PPS
    "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030000"
    "03003c959409a10001002b42010101600000030090000003000003003ca00a080c1f3e595952930bc05b02000003"
    "0002000003003210a2000100064401c073c189";
constexpr const char* kLarge =  // 640x360
    "0101600000009000000000003ff000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030000"
    "03003f959409a10001002b42010101600000030090000003000003003fa005020171f2e595952930bc05a0200000"
    "03002000000303c1a2000100064401c073c189";

Bytes prefixed(const Bytes& nal) {
  Bytes out;
  put_u32(out, static_cast<std::uint32_t>(nal.size()));
  put_bytes(out, nal);
  return out;
}
Bytes sets_of(const char* record) {
  return media::parse_hevc_config(from_hex(record)).value().sets.missing_from({});
}
Bytes only(const char* record, std::uint8_t order) {
  const auto config = media::parse_hevc_config(from_hex(record)).value();
  return prefixed(config.sets.find(order, 0)->nal);
}
Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const Bytes kIdr = prefixed(from_hex("2601af0102030405"));
const Bytes kDelimiter = prefixed(from_hex("460150"));

// The sample as it is stored.
Bytes arranged(media::VideoSource& source, Bytes sample) {
  const iovec piece{sample.data(), sample.size()};
  const auto sets = source.take_key_frame({&piece, 1});
  sample.insert(sample.begin() + static_cast<std::ptrdiff_t>(sets.at), sets.insert.begin(),
                sets.insert.end());
  return sample;
}

void every_h265_key_frame_has_all_sets(void**) {
  const auto source = media::make_video_source(media::Codec::kHevc);
  assert_true(bool(source->announce(from_hex(kSmall))));
  const Bytes sets = sets_of(kSmall);
  assert_true(arranged(*source, kIdr) == sets + kIdr);
  assert_true(arranged(*source, kDelimiter + kIdr) == kDelimiter + sets + kIdr);
  assert_true(arranged(*source, sets + kIdr) == sets + kIdr);
  // what is no random access picture, or does not add up, is left alone
  const Bytes trail = prefixed(from_hex("0201af01"));
  assert_true(arranged(*source, trail) == trail);
  assert_true(arranged(*source, kIdr + Bytes{9}) == kIdr + Bytes{9});
  // one kind that is missing: all of them, in their order, in front
  const Bytes no_vps = only(kSmall, media::kHevcSps) + only(kSmall, media::kHevcPps) + kIdr;
  assert_true(arranged(*source, no_vps) == sets + no_vps);
}

void an_h265_header_is_in_force_with_a_key_frame(void**) {
  const auto source = media::make_video_source(media::Codec::kHevc);
  assert_true(bool(source->announce(from_hex(kSmall))));
  assert_int_equal(source->track().source.width, 320);
  assert_true(bool(source->announce(from_hex(kLarge))));
  assert_int_equal(source->track().source.width, 320);
  assert_true(arranged(*source, kIdr) == sets_of(kLarge) + kIdr);
  assert_int_equal(source->track().source.width, 640);
  assert_false(bool(source->announce(from_hex("0101"))));
  assert_int_equal(source->track().source.width, 640);
}

void h265_sets_in_a_key_frame_win(void**) {
  const auto source = media::make_video_source(media::Codec::kHevc);
  assert_true(bool(source->announce(from_hex(kSmall))));
  const Bytes large = sets_of(kLarge) + kIdr;
  assert_true(arranged(*source, large) == large);
  assert_int_equal(source->track().source.width, 640);
  assert_true(source->track().record ==
              media::parse_hevc_config(from_hex(kLarge)).value().track().record);
  assert_true(arranged(*source, kIdr) == large);  // and stay
}

void h265_without_a_header_is_what_its_key_frames_say(void**) {
  const auto source = media::make_video_source(media::Codec::kHevc);
  const Bytes no_sps = only(kSmall, media::kHevcVps) + kIdr;
  assert_true(arranged(*source, no_sps) == no_sps);
  assert_true(source->track().codec == media::Codec::kNone);
  const Bytes whole = sets_of(kSmall) + kIdr;
  assert_true(arranged(*source, whole) == whole);
  assert_int_equal(source->track().source.width, 320);
}

constexpr const char* kAv1Record = "81010c000a0b0000000cc4ff6700be0010";  // libsvtav1, 640x360
constexpr const char* kAv1Header = "0a0b0000000cc4ff6700be0010";
constexpr const char* kAv1Other = "0a0a200000043d06d4daf902";  // libaom, 322x182, 4:4:4
constexpr const char* kAv1Frame = "3204aabbccdd";

void every_av1_key_frame_has_a_sequence_header(void**) {
  const auto source = media::make_video_source(media::Codec::kAv1);
  assert_true(bool(source->announce(from_hex(kAv1Record))));
  assert_int_equal(source->track().source.width, 640);
  const Bytes frame = from_hex(kAv1Frame);
  const Bytes header = from_hex(kAv1Header);
  assert_true(arranged(*source, frame) == header + frame);
  assert_true(arranged(*source, from_hex("1200") + frame) == from_hex("1200") + header + frame);
  assert_true(arranged(*source, header + frame) == header + frame);
  // one of its own wins, and stays
  const Bytes other = from_hex(kAv1Other);
  assert_true(arranged(*source, other + frame) == other + frame);
  test::assert_said("4:4:4", source->track(),
                    "av1 | High | 0 | 322 | 182 | 1:1 | yuv444p | tv | - | - | - | 8 | false | 0 | "
                    "-");
  assert_true(arranged(*source, frame) == other + frame);
  // a header that is announced waits for the next key frame
  assert_true(bool(source->announce(from_hex(kAv1Record))));
  assert_int_equal(source->track().source.width, 322);
  assert_true(arranged(*source, frame) == header + frame);
  assert_int_equal(source->track().source.width, 640);
}

void av1_may_leave_it_to_its_key_frames(void**) {
  const auto source = media::make_video_source(media::Codec::kAv1);
  assert_true(bool(source->announce(from_hex("81010c00"))));
  assert_true(source->track().codec == media::Codec::kNone);
  const Bytes frame = from_hex(kAv1Frame);
  assert_true(arranged(*source, frame) == frame);
  (void)arranged(*source, from_hex(kAv1Header) + frame);
  assert_true(source->track().record == from_hex(kAv1Record));
  assert_false(bool(source->announce(from_hex("00"))));
}

void vp9_says_its_size_in_key_frames(void**) {
  const auto source = media::make_video_source(media::Codec::kVp9);
  assert_true(bool(source->announce(from_hex("0015830101010000"))));
  assert_true(source->track().codec == media::Codec::kNone);
  const Bytes key = from_hex("824983425027f016760638241c184a10");
  assert_true(arranged(*source, key) == key);
  test::assert_said("full range", source->track(),
                    "vp9 | Profile 0 | 21 | 640 | 360 | 1:1 | yuv420p | pc | bt709 | bt709 | bt709 "
                    "| 8 | false | 0 | -");
  (void)arranged(*source, from_hex("8600402ff2"));  // no key frame, whatever its message says
  assert_int_equal(source->track().source.width, 640);
  (void)arranged(*source, from_hex("824983420013f00b360638241c184a00"));
  assert_int_equal(source->track().source.width, 320);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_h265_key_frame_has_all_sets),
      cmocka_unit_test(an_h265_header_is_in_force_with_a_key_frame),
      cmocka_unit_test(h265_sets_in_a_key_frame_win),
      cmocka_unit_test(h265_without_a_header_is_what_its_key_frames_say),
      cmocka_unit_test(every_av1_key_frame_has_a_sequence_header),
      cmocka_unit_test(av1_may_leave_it_to_its_key_frames),
      cmocka_unit_test(vp9_says_its_size_in_key_frames),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
