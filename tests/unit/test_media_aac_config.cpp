#include <string>

#include "media/aac_config.hpp"
#include "support/bit_writer.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using media::parse_aac_config;
using media::parse_mp3_frame;
using media::TrackConfig;
using test::BitWriter;

void check(const TrackConfig& track, std::uint32_t timescale, std::uint32_t sample_rate,
           int channels, std::uint32_t duration = 1024) {
  assert_true(track.codec == media::Codec::kAac);
  assert_int_equal(track.timescale, timescale);
  assert_int_equal(track.source.sample_rate, sample_rate);
  assert_int_equal(track.source.channels, channels);
  assert_int_equal(track.default_duration, duration);
}

void reads_the_usual_records(void**) {
  check(parse_aac_config(Bytes{0x12, 0x10}).value(), 44100, 44100, 2);
  check(parse_aac_config(Bytes{0x11, 0x88}).value(), 48000, 48000, 1);
  check(parse_aac_config(Bytes{0x11, 0xB0}).value(), 48000, 48000, 6);
  check(parse_aac_config(Bytes{0x11, 0xB8}).value(), 48000, 48000, 8);
  const Bytes record = {0x12, 0x10, 0x56, 0xE5, 0x00};  // with "no SBR", as ffmpeg writes it
  const TrackConfig track = parse_aac_config(record).value();
  check(track, 44100, 44100, 2);
  assert_true(track.record == record);
}

void reads_the_frame_length_and_explicit_rates(void**) {
  BitWriter out;
  out.bits(5, 2).bits(4, 15).bits(24, 37800).bits(4, 2).bits(1, 1).bits(2, 0);
  check(parse_aac_config(out.bytes()).value(), 37800, 37800, 2, 960);
}

void reads_spectral_band_replication(void**) {
  BitWriter before;  // hierarchical signalling
  before.bits(5, 5).bits(4, 6).bits(4, 2).bits(4, 3).bits(5, 2).bits(3, 0);
  check(parse_aac_config(before.bytes()).value(), 24000, 48000, 2);
  BitWriter behind;  // backward compatible signalling
  behind.bits(5, 2).bits(4, 7).bits(4, 2).bits(3, 0).bits(11, 0x2b7).bits(5, 5).bits(1, 1);
  behind.bits(4, 4);
  check(parse_aac_config(behind.bytes()).value(), 22050, 44100, 2);
}

void an_extension_that_cannot_be_is_padding(void**) {
  BitWriter fast;
  fast.bits(5, 2).bits(4, 4).bits(4, 2).bits(3, 0).bits(11, 0x2b7).bits(5, 5).bits(1, 1);
  fast.bits(4, 15).bits(24, 0xFFFFFF);
  check(parse_aac_config(fast.bytes()).value(), 44100, 44100, 2);
  check(parse_aac_config(Bytes{0x12, 0x10, 0x56, 0xE5}).value(), 44100, 44100, 2);
}

void parametric_stereo_makes_two_channels(void**) {
  BitWriter before;
  before.bits(5, 29).bits(4, 6).bits(4, 1).bits(4, 3).bits(5, 2).bits(3, 0);
  check(parse_aac_config(before.bytes()).value(), 24000, 48000, 2);
  BitWriter behind;
  behind.bits(5, 2).bits(4, 6).bits(4, 1).bits(3, 0).bits(11, 0x2b7).bits(5, 5).bits(1, 1);
  behind.bits(4, 3).bits(11, 0x548).bits(1, 1);
  check(parse_aac_config(behind.bytes()).value(), 24000, 48000, 2);
}

void counts_the_channels_of_a_program_config(void**) {
  BitWriter out;
  out.bits(5, 2).bits(4, 3).bits(4, 0).bits(3, 0);
  out.bits(4, 0).bits(2, 1).bits(4, 3);                                   // tag, profile, rate
  out.bits(4, 2).bits(4, 1).bits(4, 1).bits(2, 1).bits(3, 1).bits(4, 1);  // how many of each
  out.bits(1, 1).bits(4, 0).bits(1, 0).bits(1, 1).bits(3, 0);             // mixdowns
  out.bits(1, 0).bits(4, 0).bits(1, 1).bits(4, 0);                        // front: 1 + 2
  out.bits(1, 1).bits(4, 1).bits(1, 0).bits(4, 1);                        // side 2, back 1
  out.bits(4, 0).bits(4, 0).bits(5, 0);                                   // lfe, data, coupling
  out.align_to_byte().bits(8, 2).bits(16, 0x6869);                        // comment
  check(parse_aac_config(out.bytes()).value(), 48000, 48000, 7);
  out.bits(11, 0x2b7).bits(5, 5).bits(1, 1).bits(4, 0);  // read only if the element was left right
  check(parse_aac_config(out.bytes()).value(), 48000, 96000, 7);
}

void reads_low_delay_frames(void**) {
  BitWriter ld;
  ld.bits(5, 23).bits(4, 3).bits(4, 2).bits(1, 1).bits(2, 0);
  check(parse_aac_config(ld.bytes()).value(), 48000, 48000, 2, 480);
  BitWriter eld;
  eld.bits(5, 31).bits(6, 39 - 32).bits(4, 3).bits(4, 1).bits(1, 0).bits(8, 0);
  check(parse_aac_config(eld.bytes()).value(), 48000, 48000, 1, 512);
}

std::string refused(ByteView record) {
  auto result = parse_aac_config(record);
  if (result || result.error().code != Errc::kCorrupt) {
    return "";
  }
  return result.error().message;
}

void says_why_a_record_is_refused(void**) {
  assert_true(refused({}).find("too early") != std::string::npos);
  assert_true(refused(Bytes{0x12}).find("too early") != std::string::npos);
  assert_true(refused(Bytes{0x16, 0x90}).find("sample rate") != std::string::npos);  // index 13
  assert_true(refused(Bytes{0x12, 0x40}).find("no channels") != std::string::npos);  // 8
  assert_true(refused(Bytes{0x12, 0x00, 0, 0, 0, 0, 0, 0}).find("no channels") !=
              std::string::npos);  // an empty program config
  assert_true(refused(Bytes{0x02, 0x10}).find("type 0 is not AAC") != std::string::npos);
  BitWriter fast;
  fast.bits(5, 2).bits(4, 15).bits(24, 0xFFFFFF).bits(4, 2).bits(3, 0);
  assert_true(refused(fast.bytes()).find("sample rate") != std::string::npos);
}

void check_mp3(const Bytes& frame, std::uint32_t rate, int channels, std::uint32_t duration) {
  const TrackConfig track = parse_mp3_frame(frame).value();
  assert_true(track.codec == media::Codec::kMp3);
  assert_int_equal(track.timescale, rate);
  assert_int_equal(track.source.sample_rate, rate);
  assert_int_equal(track.source.channels, channels);
  assert_int_equal(track.default_duration, duration);
  assert_true(track.record.empty());
}

void reads_mp3_frame_headers(void**) {
  check_mp3({0xFF, 0xFB, 0x90, 0x64, 1}, 44100, 2, 1152);
  check_mp3({0xFF, 0xFA, 0x94, 0xC4}, 48000, 1, 1152);
  check_mp3({0xFF, 0xF3, 0x80, 0x04}, 22050, 2, 576);  // MPEG-2
  check_mp3({0xFF, 0xE3, 0x18, 0xC4}, 8000, 1, 576);   // MPEG-2.5
}

void refuses_what_is_no_mp3_frame(void**) {
  for (const Bytes& frame : {Bytes{}, Bytes{0xFF, 0xFB, 0x90}, Bytes{'I', 'D', '3', 4},
                             Bytes{0xFF, 0xFD, 0x90, 0x64}, Bytes{0xFF, 0xEB, 0x90, 0x64},
                             Bytes{0xFF, 0xFB, 0xF0, 0x64}, Bytes{0xFF, 0xFB, 0x9C, 0x64}}) {
    auto result = parse_mp3_frame(frame);
    assert_true(!result && result.error().code == Errc::kCorrupt);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_the_usual_records),
      cmocka_unit_test(reads_the_frame_length_and_explicit_rates),
      cmocka_unit_test(reads_spectral_band_replication),
      cmocka_unit_test(an_extension_that_cannot_be_is_padding),
      cmocka_unit_test(parametric_stereo_makes_two_channels),
      cmocka_unit_test(counts_the_channels_of_a_program_config),
      cmocka_unit_test(reads_low_delay_frames),
      cmocka_unit_test(says_why_a_record_is_refused),
      cmocka_unit_test(reads_mp3_frame_headers),
      cmocka_unit_test(refuses_what_is_no_mp3_frame),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
