#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "support/bit_writer.hpp"
#include "test_recorder_encoder.hpp"
#include "transcode/drift.hpp"
#include "transcode/measurement.hpp"
#include "transcode/source_probe.hpp"

#include "test_transcode_support.hpp"

namespace {

using namespace recording::test;
using namespace recording::transcode;
using recording::Bytes;
using recording::media::Codec;
using recording::media::ColorRange;
using recording::media::FlvMetadata;
using recording::media::FrameRate;
using recording::media::TrackKind;
using State = SourceProbe::State;

// High profile, 320 wide; `fps` 0: no timing in the VUI.
Bytes sps(std::uint32_t fps, std::uint32_t lines = 240, bool full_range = false) {
  BitWriter out;
  out.bits(8, 0x67).bits(8, 100).bits(8, 0).bits(8, 30).ue(0);
  out.ue(1).ue(0).ue(0).bits(1, 0).bits(1, 0);                 // 4:2:0, 8 bits
  out.ue(4).ue(2).ue(1).bits(1, 0).ue(19).ue(lines / 16 - 1);  // poc type 2: no B-frames
  out.bits(1, 1).bits(1, 1).bits(1, 0);
  out.bits(1, 1);             // VUI
  out.bits(1, 0).bits(1, 0);  // aspect ratio, overscan
  out.bits(1, 1).bits(3, 5).bits(1, full_range ? 1 : 0).bits(1, 0);
  out.bits(1, 0);  // chroma location
  out.bits(1, fps != 0 ? 1 : 0);
  if (fps != 0) {
    out.bits(32, 1).bits(32, fps * 2).bits(1, 1);
  }
  out.bits(4, 0).bits(1, 1).align_to_byte();
  return out.bytes();
}

// A publisher, and who watches it.
struct Source {
  SourceIntake intake;
  SourceProbe probe;
  Measurement measurement;
  std::int64_t now_ms = 1000;

  SourceMessage give(TrackKind kind, std::uint32_t ms, const Bytes& bytes) {
    const iovec piece{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    const SourceMessage message = intake.take(kind, ms, now_ms + ms, {&piece, 1});
    (void)probe.take(message, intake, now_ms + ms);
    measurement.take(message);
    return message;
  }
  void describe(std::uint32_t fps, bool sound = true, std::uint32_t lines = 240,
                bool full_range = false, std::uint32_t ms = 0) {
    (void)give(TrackKind::kVideo, ms,
               flv_video(true, 0, avc_record(sps(fps, lines, full_range), small_pps())));
    if (sound) {
      (void)give(TrackKind::kAudio, ms, flv_aac(0, aac_record()));
      (void)give(TrackKind::kAudio, ms, flv_aac(1, Bytes(300, 1)));
    }
  }
  // Pictures at a rate, of 1000 bytes each, a key frame each second.
  void send(double rate, std::int64_t from_ms, std::int64_t to_ms) {
    const Bytes key = flv_video(true, 1, nal(picture(0x65)));
    const Bytes other = flv_video(false, 1, nal(picture(0x41)));
    for (int i = 0;; ++i) {
      const auto ms = from_ms + std::llround(i * 1000 / rate);
      if (ms >= to_ms) {
        return;
      }
      const bool is_key = i % static_cast<int>(std::max(rate, 1.0)) == 0;
      (void)give(TrackKind::kVideo, static_cast<std::uint32_t>(ms), is_key ? key : other);
    }
  }
  static Bytes picture(std::uint8_t header) {
    Bytes bytes(1000 - 9, 7);
    bytes[0] = header;
    bytes[1] = 0xB8;
    return bytes;
  }
  [[nodiscard]] FrameRate rate() const { return probe.frozen().video->frame_rate.value; }
  [[nodiscard]] Origin rate_from() const { return probe.frozen().video->frame_rate.origin; }
};

FlvMetadata announced(std::optional<double> rate) {
  FlvMetadata metadata;
  metadata.frame_rate = rate;
  metadata.video_codec_id = 7;
  metadata.audio_codec_id = 10;
  return metadata;
}

void what_is_announced_is_waited_for_and_no_longer(void**) {
  Source source;
  source.probe.take_metadata(announced(29.97));
  source.describe(25, false);
  source.send(30, 0, 600);
  assert_true(source.probe.state() == State::kProbing);  // sound is announced
  (void)source.give(TrackKind::kAudio, 600, flv_aac(0, aac_record()));
  assert_true(source.probe.state() == State::kProbing);  // nothing to hear yet
  (void)source.give(TrackKind::kAudio, 600, flv_aac(1, Bytes(300, 1)));
  assert_true(source.probe.state() == State::kReady);
  assert_true(source.rate() == (FrameRate{30000, 1001}));
  assert_true(source.rate_from() == Origin::kMetadata);
  assert_int_equal(source.probe.frozen().video->width.value, 320);
  assert_true(source.probe.frozen().audio->sample_rate.value == 48000);
  // Read once.
  source.probe.take_metadata(announced(50));
  source.send(50, 600, 3000);
  assert_true(source.rate() == (FrameRate{30000, 1001}));
}

void announced_sound_that_does_not_come_is_not_waited_for_forever(void**) {
  for (const bool described : {false, true}) {
    Source source;
    source.probe.take_metadata(announced(25));
    source.describe(25, false);
    if (described) {
      (void)source.give(TrackKind::kAudio, 0, flv_aac(0, aac_record()));
    }
    source.send(25, 0, 2900);
    assert_true(source.probe.state() == State::kProbing);
    source.send(25, 2900, 3200);
    assert_true(source.probe.state() == State::kReady);
    assert_false(source.probe.frozen().audio.has_value());
  }
}

void media_that_nothing_describes_are_refused(void**) {
  Source source;
  source.send(25, 0, 9900);
  assert_true(source.probe.state() == State::kProbing);
  source.send(25, 9900, 10200);
  assert_true(source.probe.state() == State::kRefused);
  assert_non_null(std::strstr(source.probe.refusal().c_str(), "codec configuration"));
  Source late;
  late.send(25, 0, 5000);
  late.describe(25, false, 240, false, 5000);
  late.send(25, 5000, 12000);
  assert_true(late.probe.state() == State::kReady);
}

void configuration_then_timestamps_say_what_metadata_do_not(void**) {
  Source vui;
  vui.probe.take_metadata(announced(std::nullopt));
  vui.describe(25);
  vui.send(25, 0, 400);
  assert_true(vui.probe.state() == State::kReady);
  assert_true(vui.rate() == (FrameRate{25, 1}) && vui.rate_from() == Origin::kConfiguration);

  Source silent;
  silent.describe(0);
  silent.send(24, 0, 900);
  assert_true(silent.probe.state() == State::kProbing);
  silent.send(24, 900, 1200);
  assert_true(silent.probe.state() == State::kReady);
  assert_true(silent.rate() == (FrameRate{24, 1}) && silent.rate_from() == Origin::kTimestamps);
  assert_true(silent.probe.frozen().video->bps.origin == Origin::kTimestamps);
  assert_true(std::llabs(silent.probe.frozen().video->bps.value - 192000) < 20000);
}

void rates_by_timestamps_are_the_usual_ones(void**) {
  const auto rate = [](double shown) {
    Source source;
    source.describe(0, false);
    source.send(shown, 0, 1300);
    assert_true(source.probe.state() == State::kReady);
    return source.rate().text();
  };
  assert_string_equal(rate(30).c_str(), "30");
  assert_string_equal(rate(60).c_str(), "60");
  assert_string_equal(rate(12.5).c_str(), "25/2");
  assert_string_equal(rate(15).c_str(), "15");
  assert_string_equal(rate(500).c_str(), "120");  // as fast as live playback goes
}

void absurd_rates_of_metadata_and_configuration_are_passed_over(void**) {
  Source source;
  source.probe.take_metadata(announced(240));  // possible, but no live playback goes so fast
  source.describe(200);
  source.send(25, 0, 1300);
  assert_true(source.rate() == (FrameRate{25, 1}) && source.rate_from() == Origin::kTimestamps);
}

void source_is_not_shown_as_it_is_when_it_is_faster_than_declared(void**) {
  const auto keeps = [](double declared, double sent) {
    Source source;
    source.probe.take_metadata(announced(declared));
    source.describe(0);
    source.send(sent, 0, 500);
    assert_true(source.probe.state() == State::kReady);
    return source.probe.frozen().video->keeps_frame_rate;
  };
  assert_true(keeps(30, 30));
  assert_true(keeps(29.97, 30));
  assert_false(keeps(12, 30));
}

void what_cannot_be_fed_is_refused(void**) {
  Source source;
  (void)source.give(TrackKind::kVideo, 0, {0x90, 'v', 'v', 'c', '1', 1, 2, 3});
  assert_true(source.probe.state() == State::kRefused);
  assert_non_null(strstr(source.probe.refusal().c_str(), "video in \"vvc1\""));
  Source speex;
  (void)speex.give(TrackKind::kAudio, 0, {0xB2, 1, 2, 3});
  assert_true(speex.probe.state() == State::kRefused);
  assert_non_null(strstr(speex.probe.refusal().c_str(), "codec number 11"));
}

void sound_alone_is_a_source(void**) {
  Source source;
  (void)source.give(TrackKind::kAudio, 0, flv_aac(0, aac_record()));
  for (std::uint32_t ms = 0; ms < 1200; ms += 21) {
    (void)source.give(TrackKind::kAudio, ms, flv_aac(1, Bytes(300, 1)));
  }
  assert_true(source.probe.state() == State::kReady);
  assert_false(source.probe.frozen().video.has_value());
  assert_string_equal(source.probe.frozen().audio->rfc6381.c_str(), "mp4a.40.2");
}

void measures_what_comes(void**) {
  Source source;
  source.describe(0);
  source.send(30, 0, 70000);
  Measured now = source.measurement.read(source.intake);
  assert_true(std::abs(now.rate_5s - 30) < 0.1 && std::abs(now.rate_60s - 30) < 0.1);
  assert_true(std::llabs(now.video_bps - 240000) < 5000);
  assert_int_equal(now.key_interval_ms, 1000);
  assert_int_equal(now.width, 320);
  source.send(10, 70000, 80000);
  now = source.measurement.read(source.intake);
  assert_true(std::abs(now.rate_5s - 10) < 0.1);
  assert_true(now.rate_60s > 25 && now.rate_60s < 28);
  // No pictures any more, while sound goes on.
  for (std::uint32_t ms = 80000; ms < 84000; ms += 21) {
    (void)source.give(TrackKind::kAudio, ms, flv_aac(1, Bytes(300, 1)));
  }
  assert_true(source.measurement.read(source.intake).rate_5s < 6);
  assert_true(source.measurement.read(source.intake).video_codec == Codec::kAvc);
  for (std::uint32_t ms = 84000; ms < 91000; ms += 21) {
    (void)source.give(TrackKind::kAudio, ms, flv_aac(1, Bytes(300, 1)));
  }
  assert_true(source.measurement.read(source.intake).video_codec == Codec::kNone);
}

void drift_is_told_once_a_change(void**) {
  Source source;
  source.probe.take_metadata(announced(12));
  source.describe(0, false);
  source.send(12, 0, 6000);
  DriftWatch watch;
  int told = 0;
  std::int64_t at = 6000;
  const auto run = [&](double rate, std::int64_t ms) {
    for (const std::int64_t end = at + ms; at < end; at += 500) {
      source.send(rate, at, at + 500);
      told += watch.look(source.probe.frozen(), source.measurement.read(source.intake), at) ? 1 : 0;
    }
  };
  run(12, 5000);
  assert_int_equal(told, 0);
  run(30, 15000);
  assert_true(watch.fields() == 1U << static_cast<int>(DriftField::kFrameRate));
  const int rising = told;
  assert_true(rising >= 1 && rising <= 3);  // the window of 5 s rises to the new rate
  run(30, 20000);
  assert_int_equal(told, rising);
  const auto drifts =
      drifts_of(source.probe.frozen(), source.measurement.read(source.intake), watch.fields());
  assert_int_equal(drifts.size(), 1);
  assert_string_equal(drifts[0].field, "frame_rate");
  assert_non_null(strstr(drifts[0].advice.c_str(),
                         "the session was built for 12 fps; the encoder now sends 30"));
  run(12, 15000);
  assert_int_equal(watch.fields(), 0);
}

void another_picture_is_a_drift_and_another_decoder_begins_with_it(void**) {
  Source source;
  source.probe.take_metadata(announced(25));
  source.describe(25);
  source.send(25, 0, 1000);
  source.describe(25, true, 480, true, 1000);
  const SourceMessage key =
      source.give(TrackKind::kVideo, 1000, flv_video(true, 1, nal(Source::picture(0x65))));
  assert_true(key.config_changed);
  assert_false(key.sets.insert.empty());  // the sample brings none of its own
  DriftWatch watch;
  const auto look = [&](std::int64_t now) {
    return watch.look(source.probe.frozen(), source.measurement.read(source.intake), now);
  };
  assert_false(look(1000));
  assert_true(look(4000));
  assert_false(look(8000));
  std::string fields;
  for (const Drift& drift :
       drifts_of(source.probe.frozen(), source.measurement.read(source.intake), watch.fields())) {
    fields += std::string(drift.field) + " ";
  }
  assert_string_equal(fields.c_str(), "height pix_fmt color_range ");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_announced_is_waited_for_and_no_longer),
      cmocka_unit_test(announced_sound_that_does_not_come_is_not_waited_for_forever),
      cmocka_unit_test(media_that_nothing_describes_are_refused),
      cmocka_unit_test(configuration_then_timestamps_say_what_metadata_do_not),
      cmocka_unit_test(rates_by_timestamps_are_the_usual_ones),
      cmocka_unit_test(absurd_rates_of_metadata_and_configuration_are_passed_over),
      cmocka_unit_test(source_is_not_shown_as_it_is_when_it_is_faster_than_declared),
      cmocka_unit_test(what_cannot_be_fed_is_refused),
      cmocka_unit_test(sound_alone_is_a_source),
      cmocka_unit_test(measures_what_comes),
      cmocka_unit_test(drift_is_told_once_a_change),
      cmocka_unit_test(another_picture_is_a_drift_and_another_decoder_begins_with_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
