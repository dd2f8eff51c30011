#include <functional>

#include "media/track_config.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using media::SourceParameters;
using media::TrackConfig;

TrackConfig full() {
  TrackConfig config;
  config.codec = media::Codec::kAac;
  config.timescale = 44100;
  config.default_duration = 1024;
  config.record = {0x12, 0x10};
  config.decoder_setup = {7};
  config.source = {"High", 31, 640, 360,  4, 3,     "yuv420p", 8, media::ColorRange::kFull,
                   1,      13, 5,   true, 2, 29970, 48000,     6};
  return config;
}

void what_was_encoded_is_decoded(void**) {
  const TrackConfig config = full();
  const Bytes encoded = encode(config);
  TrackConfig back;
  assert_true(decode(encoded, back));
  assert_true(back.same_source(config));
  assert_true(back.source == config.source);
  assert_true(back.record == config.record);
  assert_int_equal(back.default_duration, 1024);
  assert_int_equal(media::encode(back).size(), encoded.size());
}

void a_part_of_it_is_none(void**) {
  const Bytes encoded = encode(full());
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    TrackConfig back;
    assert_false(decode(ByteView(encoded).first(size), back));
  }
  TrackConfig back;
  assert_false(decode(encode(TrackConfig{}), back));
}

void what_a_later_version_adds_is_passed_over(void**) {
  Bytes encoded = encode(full());
  put_u32(encoded, 1);
  TrackConfig back;
  assert_true(decode(encoded, back) && back.same_source(full()));
}

void each_parameter_makes_another_source(void**) {
  const std::function<void(TrackConfig&)> changes[] = {
      [](TrackConfig& c) { c.codec = media::Codec::kAvc; },
      [](TrackConfig& c) { c.timescale = 48000; },
      [](TrackConfig& c) { c.decoder_setup = {8}; },
      [](TrackConfig& c) { c.source.profile = "Main"; },
      [](TrackConfig& c) { c.source.level = 40; },
      [](TrackConfig& c) { c.source.width = 641; },
      [](TrackConfig& c) { c.source.height = 361; },
      [](TrackConfig& c) { c.source.sar_num = 1; },
      [](TrackConfig& c) { c.source.sar_den = 1; },
      [](TrackConfig& c) { c.source.pix_fmt = "yuv444p"; },
      [](TrackConfig& c) { c.source.bit_depth = 10; },
      [](TrackConfig& c) { c.source.color_range = media::ColorRange::kLimited; },
      [](TrackConfig& c) { c.source.color_primaries = 9; },
      [](TrackConfig& c) { c.source.color_transfer = 9; },
      [](TrackConfig& c) { c.source.color_space = 9; },
      [](TrackConfig& c) { c.source.interlaced = false; },
      [](TrackConfig& c) { c.source.has_b_frames = 0; },
      [](TrackConfig& c) { c.source.frame_rate_milli = 30000; },
      [](TrackConfig& c) { c.source.sample_rate = 44100; },
      [](TrackConfig& c) { c.source.channels = 2; },
  };
  for (const auto& change : changes) {
    TrackConfig other = full();
    change(other);
    assert_false(other.same_source(full()));
    TrackConfig back;
    assert_true(decode(encode(other), back) && back.same_source(other));
  }
}

void bytes_and_predictions_do_not(void**) {
  TrackConfig other = full();
  other.record = {0x12, 0x10, 0x56, 0xe5, 0x00};
  other.default_duration = 960;
  assert_true(other.same_source(full()));
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(what_was_encoded_is_decoded),
    cmocka_unit_test(a_part_of_it_is_none),
    cmocka_unit_test(what_a_later_version_adds_is_passed_over),
    cmocka_unit_test(each_parameter_makes_another_source),
    cmocka_unit_test(bytes_and_predictions_do_not),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
