// What a session makes of single messages, and where it cuts fragments.
#include "recorder/gatherer.hpp"
#include "recorder/track_intake.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using media::TrackKind;
using recorder::Batch;
using recorder::Gatherer;
using recorder::Intake;
using recorder::TrackIntake;
using What = recorder::Intake::What;

Intake take(TrackIntake& track, const Bytes& message, std::uint32_t ts = 0) {
  static Bytes kept;  // an Intake points into its message
  kept = message;
  const iovec piece{kept.data(), kept.size()};
  return track.take(ts, ts, {&piece, 1});
}
Bytes joined(media::Pieces pieces) {
  Bytes all;
  for (const iovec& piece : pieces) {
    put_bytes(all, {static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len});
  }
  return all;
}
Bytes avc_header(int nal_length_size = 4, std::uint32_t width = 20) {
  return flv_video(true, 0, avc_record(small_sps(width), small_pps(), nal_length_size));
}

void each_rejection_is_said_once(void**) {
  media::SessionClock clock;
  TrackIntake video(TrackKind::kVideo, clock);
  Intake first = take(video, {0x12, 1, 2, 3});  // Sorenson H.263
  assert_true(first.what == What::kRejected);
  assert_non_null(first.why);
  assert_non_null(std::strstr(first.why, "2"));
  Intake second = take(video, {0x12, 1, 2, 3});
  assert_true(second.what == What::kRejected);
  assert_null(second.why);
  assert_non_null(take(video, {0x14, 1, 2, 3}).why);  // VP6: another reason

  const Bytes broken = flv_video(true, 0, {1, 2, 3});
  assert_non_null(take(video, broken).why);
  assert_null(take(video, broken).why);
  assert_true(take(video, broken).what == What::kRejected);
  assert_non_null(take(video, flv_video(true, 0, {9, 9, 9, 9, 9, 9, 9})).why);
  assert_true(take(video, avc_header()).what == What::kConfig);
}

void configuration_is_new_when_the_source_is(void**) {
  media::SessionClock clock;
  TrackIntake video(TrackKind::kVideo, clock);
  assert_true(take(video, flv_video(true, 1, nal({0x65, 1, 2}))).what == What::kNothing);
  assert_int_equal(video.undescribed(), 1);
  assert_true(take(video, avc_header()).what == What::kConfig);
  const recorder::ConfigRef first = video.config();
  assert_int_equal(first->source.width, 320);
  assert_true(take(video, avc_header()).what == What::kNothing);
  assert_ptr_equal(video.config().get(), first.get());
  // Another one is in force with a key frame, whatever comes in between.
  assert_true(take(video, avc_header(4, 40)).what == What::kNothing);
  assert_true(take(video, flv_video(false, 1, nal({0x41, 1, 2}))).what == What::kSample);
  assert_ptr_equal(video.config().get(), first.get());
  assert_true(take(video, flv_video(true, 1, nal({0x65, 0xB8, 2})), 40).what == What::kSample);
  assert_int_equal(video.config()->source.width, 640);
  assert_int_equal(first->source.width, 320);  // who has the old one keeps it
  assert_true(take(video, flv_video(true, 2, {})).what == What::kNothing);
}

void key_frames_get_the_parameter_sets_that_they_lack(void**) {
  media::SessionClock clock;
  TrackIntake video(TrackKind::kVideo, clock);
  (void)take(video, avc_header());
  Bytes sets = nal(small_sps());
  put_bytes(sets, nal(small_pps()));
  const Bytes idr = nal({0x65, 1, 2, 3}), other = nal({0x41, 1, 2, 3}), aud = nal({0x09, 0xF0});
  const auto stored = [&](bool key, std::initializer_list<Bytes> units) {
    Bytes unit;
    for (const Bytes& one : units) {
      put_bytes(unit, one);
    }
    static std::uint32_t ts = 0;
    const Intake intake = take(video, flv_video(key, 1, unit), ts += 40);
    assert_true(intake.what == What::kSample);
    assert_int_equal(intake.sample.size, joined(intake.pieces).size());
    return joined(intake.pieces);
  };
  const auto bytes = [](std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) {
      put_bytes(all, part);
    }
    return all;
  };
  assert_true(stored(true, {idr}) == bytes({sets, idr}));
  assert_true(stored(true, {aud, idr}) == bytes({aud, sets, idr}));
  assert_true(stored(true, {sets, idr}) == bytes({sets, idr}));
  assert_true(stored(false, {other}) == other);
  assert_true(stored(true, {Bytes{0, 0, 9, 9, 1}}) ==
              bytes({{0, 0, 9, 9, 1}}));  // malformed: as sent
}

void short_nal_lengths_are_widened(void**) {
  for (const int length_size : {1, 2}) {
    media::SessionClock clock;
    TrackIntake video(TrackKind::kVideo, clock);
    assert_true(take(video, avc_header(length_size)).what == What::kConfig);
    const Intake plain = take(video, flv_video(false, 1, nal({0x41, 5, 6, 7}, length_size)), 0);
    assert_true(plain.what == What::kSample);
    assert_true(joined(plain.pieces) == nal({0x41, 5, 6, 7}));
    const Intake key = take(video, flv_video(true, 1, nal({0x65, 5}, length_size)), 40);
    Bytes wanted = nal(small_sps());
    put_bytes(wanted, nal(small_pps()));
    put_bytes(wanted, nal({0x65, 5}));
    assert_true(joined(key.pieces) == wanted);
    assert_true(key.sample.key);
    // Said once, not lost without a word.
    const Bytes torn{200, 0x41};
    const Intake broken = take(video, flv_video(false, 1, torn), 80);
    assert_true(broken.what == What::kRejected);
    assert_non_null(broken.why);
    assert_null(take(video, flv_video(false, 1, torn), 120).why);
  }
}

void mp3_describes_itself_and_aac_may_come_back(void**) {
  media::SessionClock clock;
  TrackIntake audio(TrackKind::kAudio, clock);
  const Bytes mp3{0x2F, 0xFF, 0xFB, 0x90, 0x00, 1, 2, 3};
  assert_true(take(audio, flv_aac(0, aac_record())).what == What::kConfig);
  assert_true(take(audio, flv_aac(1, {1, 2, 3})).what == What::kSample);
  assert_true(take(audio, mp3, 21).what == What::kSample);
  assert_true(audio.config()->codec == media::Codec::kMp3);
  assert_int_equal(audio.config()->source.sample_rate, 44100);
  // The header that it had before, byte for byte.
  assert_true(take(audio, flv_aac(0, aac_record()), 42).what == What::kConfig);
  assert_true(take(audio, flv_aac(1, {1, 2, 3}), 42).what == What::kSample);
  assert_true(audio.config()->codec == media::Codec::kAac);
}

void mp3_may_become_other_mp3(void**) {
  media::SessionClock clock;
  TrackIntake audio(TrackKind::kAudio, clock);
  (void)take(audio, Bytes{0x2F, 0xFF, 0xFB, 0x90, 0x00, 1, 2, 3});
  (void)take(audio, Bytes{0x2F, 0xFF, 0xFB, 0x90, 0x40, 1, 2, 3}, 26);  // joint stereo is stereo
  assert_int_equal(audio.config()->source.channels, 2);
  const recorder::ConfigRef stereo = audio.config();
  (void)take(audio, Bytes{0x2F, 0xFF, 0xFB, 0x90, 0xC0, 1, 2, 3}, 52);
  assert_int_equal(audio.config()->source.channels, 1);
  (void)take(audio, Bytes{0x2F, 1, 2, 3, 4, 5}, 78);  // no frame header: no news
  assert_int_equal(audio.config()->source.channels, 1);
  assert_int_equal(stereo->source.channels, 2);
}

// A key frame of the latest header, and the width that its time is told to have.
std::uint32_t width_at(TrackIntake& video, std::uint32_t ms, std::uint32_t width_mbs) {
  (void)take(video, avc_header(4, width_mbs), ms);
  const Intake key = take(video, flv_video(true, 1, nal({0x65, 0xB8, 2})), ms);
  const Bytes bytes = joined(key.pieces);
  const Bytes sets = nal(small_sps(width_mbs));  // whatever is told, the picture has its own
  assert_true(bytes.size() > sets.size() && std::equal(sets.begin(), sets.end(), bytes.begin()));
  return video.config()->source.width;
}

void an_encoder_that_flaps_is_not_followed_back_and_forth(void**) {
  media::SessionClock clock;
  TrackIntake video(TrackKind::kVideo, clock);
  assert_int_equal(width_at(video, 0, 20), 320);
  assert_int_equal(width_at(video, 3000, 40), 640);
  for (std::uint32_t i = 1; i < 30; ++i) {
    assert_int_equal(width_at(video, 3000 + i * 33, i % 2 == 0 ? 40 : 20), 640);
  }
  assert_int_equal(width_at(video, 4000, 20), 320);  // it has stayed so
  // What is neither is no flapping.
  assert_int_equal(width_at(video, 4200, 60), 960);
  assert_int_equal(width_at(video, 4400, 80), 1280);
  assert_int_equal(width_at(video, 4600, 20), 1280);
  // A clock that jumps back is no time that passes.
  assert_int_equal(width_at(video, 100, 20), 1280);
  assert_int_equal(width_at(video, 1100, 20), 320);
}

void the_frame_rate_is_what_was_declared_last(void**) {
  const auto header = [](std::uint32_t fps) {
    BitWriter out;
    out.bits(8, 0x67).bits(8, 66).bits(8, 0xC0).bits(8, 30).ue(0);
    out.ue(4).ue(2).ue(1).bits(1, 0).ue(19).ue(14);
    out.bits(1, 1).bits(1, 1).bits(1, 0).bits(1, fps != 0);
    if (fps != 0) {
      out.bits(1, 0).bits(1, 0).bits(1, 0).bits(1, 0);
      out.bits(1, 1).bits(32, 1).bits(32, fps * 2).bits(1, 1);
      out.bits(4, 0);
    }
    out.bits(1, 1).align_to_byte();
    return flv_video(true, 0, avc_record(out.bytes(), small_pps()));
  };
  media::SessionClock clock;
  TrackIntake video(TrackKind::kVideo, clock);
  std::uint32_t ms = 0;
  const auto rate = [&](std::uint32_t fps) {
    ms += 2000;
    (void)take(video, header(fps), ms);
    (void)take(video, flv_video(true, 1, nal({0x65, 0xB8, 2})), ms);
    return video.config()->source.frame_rate_milli;
  };
  assert_int_equal(rate(25), 25000);
  video.declare_frame_rate(29.97);  // its SPS counts in another base
  assert_int_equal(rate(25), 29970);
  assert_int_equal(video.config()->default_duration, 4004);
  assert_int_equal(rate(50), 50000);
  assert_int_equal(rate(0), 29970);
  video.declare_frame_rate(0);
  assert_int_equal(rate(0), 0);
}

void messages_of_any_pieces_are_taken(void**) {
  media::SessionClock clock;
  TrackIntake video(TrackKind::kVideo, clock);
  (void)take(video, avc_header());
  Bytes message = flv_video(false, 1, nal({0x41, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  std::vector<iovec> pieces;
  for (std::uint8_t& byte : message) {
    pieces.push_back({&byte, 1});
    pieces.push_back({nullptr, 0});
  }
  const Intake intake = video.take(0, 0, pieces);
  assert_true(intake.what == What::kSample);
  assert_true(joined(intake.pieces) == nal({0x41, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  assert_true(video.take(0, 0, {}).what == What::kNothing);
}

// Feeds samples as a session does, and keeps the batches.
struct Feed {
  explicit Feed(std::int64_t fragment_ms = 1000, std::size_t segments = 64)
      : pool(nullptr), gatherer(pool, 7, fragment_ms, segments) {
    for (const TrackKind kind : recorder::kBothKinds) {
      const Bytes header = kind == TrackKind::kVideo ? avc_header() : flv_aac(0, aac_record());
      (void)give(kind, header, 0);
    }
  }
  bool give(TrackKind kind, const Bytes& message, std::uint32_t ts) {
    TrackIntake& track = tracks[media::index_of(kind)];
    const iovec piece{const_cast<std::uint8_t*>(message.data()), message.size()};
    const Intake intake = track.take(ts, ts, {&piece, 1});
    if (intake.what != What::kSample) {
      return false;
    }
    if (gatherer.must_cut(kind, intake, track)) {
      cut(kind, intake.sample.dts);
    }
    const bool added = gatherer.add(kind, intake, track, tracks, ts);
    track.count_sample();
    return added;
  }
  bool picture(std::uint32_t ts, bool key, std::size_t size = 20) {
    Bytes unit(size, 0x11);
    unit[0] = key ? 0x65 : 0x41;
    return give(TrackKind::kVideo, flv_video(key, 1, nal(unit)), ts);
  }
  bool packet(std::uint32_t ts) { return give(TrackKind::kAudio, flv_aac(1, {1, 2, 3}), ts); }
  void cut(std::optional<TrackKind> kind = std::nullopt, std::int64_t dts = 0) {
    if (auto batch = gatherer.cut(tracks, kind, dts)) {
      batches.push_back(std::move(batch));
    }
  }
  // Numbers and bytes of all batches follow one another without a hole.
  void assert_complete() {
    recorder::PerKind<std::uint64_t> next{};
    for (const auto& batch : batches) {
      const recorder::BatchSamples read(*batch);
      for (std::size_t i = 0; i < 2; ++i) {
        assert_int_equal(batch->first_ordinal[i], next[i]);
        assert_int_equal(read.samples[i].size(), batch->count[i]);
        next[i] += batch->count[i];
        std::size_t bytes = 0, wanted = 0;
        for (const iovec& piece : read.pieces[i]) {
          bytes += piece.iov_len;
        }
        for (const mp4::Sample& sample : read.samples[i]) {
          wanted += sample.size;
        }
        assert_int_equal(bytes, wanted);
      }
    }
    assert_int_equal(next[0], tracks[0].next_ordinal());
    assert_int_equal(next[1], tracks[1].next_ordinal());
  }

  recorder::SegmentPool pool;
  media::SessionClock clock;
  recorder::PerKind<TrackIntake> tracks{TrackIntake(TrackKind::kVideo, clock),
                                        TrackIntake(TrackKind::kAudio, clock)};
  Gatherer gatherer;
  std::vector<std::unique_ptr<Batch>> batches;
};

void groups_of_pictures_begin_fragments(void**) {
  Feed feed;
  for (std::uint32_t i = 0; i < 100; ++i) {
    assert_true(feed.picture(i * 40, i % 20 == 0));
    assert_true(feed.packet(i * 40));
  }
  feed.cut();
  assert_int_equal(feed.batches.size(), 5);
  for (const auto& batch : feed.batches) {
    assert_true(batch->begins_with_key);
    assert_int_equal(batch->count[0], 20);
  }
  feed.assert_complete();
}

void long_groups_are_cut_by_time_and_short_ones_gathered(void**) {
  Feed lengthy;
  for (std::uint32_t i = 0; i < 100; ++i) {
    assert_true(lengthy.picture(i * 40, i == 0));
  }
  lengthy.cut();
  assert_int_equal(lengthy.batches.size(), 4);
  lengthy.assert_complete();
  Feed intra;
  for (std::uint32_t i = 0; i < 100; ++i) {
    assert_true(intra.picture(i * 40, true));
  }
  intra.cut();
  assert_in_range(intra.batches.size(), 4, 16);
  intra.assert_complete();
}

void one_kind_alone_is_cut_too(void**) {
  Feed audio;
  for (std::uint32_t i = 0; i < 200; ++i) {
    assert_true(audio.packet(i * 21));
  }
  audio.cut();
  assert_in_range(audio.batches.size(), 4, 5);
  audio.assert_complete();
  // Video that has stopped must not keep audio waiting.
  Feed stopped;
  assert_true(stopped.picture(0, true));
  for (std::uint32_t i = 0; i < 200; ++i) {
    assert_true(stopped.packet(i * 21));
  }
  stopped.cut();
  assert_true(stopped.batches.size() >= 3);
  stopped.assert_complete();
}

void change_of_configuration_begins_a_fragment(void**) {
  Feed feed;
  assert_true(feed.picture(0, true));
  assert_true(feed.picture(40, false));
  (void)feed.give(TrackKind::kVideo, avc_header(4, 40), 80);
  assert_true(feed.picture(80, true));
  feed.cut();
  assert_int_equal(feed.batches.size(), 2);
  assert_int_equal(feed.batches[0]->config[0]->source.width, 320);
  assert_int_equal(feed.batches[1]->config[0]->source.width, 640);
  feed.assert_complete();
}

void last_sample_lasts_until_the_next_one(void**) {
  Feed feed;
  assert_true(feed.picture(0, true));
  assert_true(feed.picture(500, false));
  assert_true(feed.picture(1300, true));
  feed.cut();
  assert_int_equal(feed.batches.size(), 2);
  assert_int_equal(feed.batches[0]->last_duration[0], 800 * 120);
}

void large_batches_are_cut_early_and_the_budget_is_kept(void**) {
  Feed feed;
  for (std::uint32_t i = 0; i < 20; ++i) {
    assert_true(feed.picture(i, i == 0, 1 << 20));
    if (!feed.batches.empty()) {
      assert_true(feed.batches.back()->bytes <= (8 << 20));
    }
    if (feed.batches.size() > 1) {
      feed.batches.clear();
    }
  }
  Feed tight(1000, 4);
  std::uint32_t given = 0;
  while (given < 100 && tight.picture(given * 40, given == 0, 100000)) {
    ++given;
  }
  assert_in_range(given, 8, 10);  // 4 x 256 KiB
  assert_false(tight.gatherer.has_room());
  tight.cut();
  assert_int_equal(
      tight.batches.back()->count[0] + (tight.batches.size() > 1 ? tight.batches[0]->count[0] : 0),
      given);
  tight.batches.clear();  // written
  assert_true(tight.gatherer.has_room());
  assert_true(tight.picture(5000, true, 100000));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_rejection_is_said_once),
      cmocka_unit_test(configuration_is_new_when_the_source_is),
      cmocka_unit_test(key_frames_get_the_parameter_sets_that_they_lack),
      cmocka_unit_test(short_nal_lengths_are_widened),
      cmocka_unit_test(mp3_describes_itself_and_aac_may_come_back),
      cmocka_unit_test(mp3_may_become_other_mp3),
      cmocka_unit_test(an_encoder_that_flaps_is_not_followed_back_and_forth),
      cmocka_unit_test(the_frame_rate_is_what_was_declared_last),
      cmocka_unit_test(messages_of_any_pieces_are_taken),
      cmocka_unit_test(groups_of_pictures_begin_fragments),
      cmocka_unit_test(long_groups_are_cut_by_time_and_short_ones_gathered),
      cmocka_unit_test(one_kind_alone_is_cut_too),
      cmocka_unit_test(change_of_configuration_begins_a_fragment),
      cmocka_unit_test(last_sample_lasts_until_the_next_one),
      cmocka_unit_test(large_batches_are_cut_early_and_the_budget_is_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
