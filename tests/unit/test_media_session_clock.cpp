// One timeline of both tracks, whatever the encoder's clock does.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "test_media_clock_source.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording::media;
using namespace recording::test;

void is(const Session& session, const char* told, double apart = 2) {
  if (session.told() != told || session.apart > apart || !session.rising) {
    std::fprintf(stderr, "%.1f ms apart, rising %d, not:\n%s", session.apart, session.rising, told);
  }
  assert_string_equal(session.told().c_str(), told);
  assert_true(session.rising);
  assert_true(session.apart <= apart);
}

Session run(const Source& source) {
  Session session;
  session.run(source);
  return session;
}

void an_even_clock_is_followed(void**) {
  for (const std::int64_t base : {std::int64_t{0}, kHour, kWrap - 5 * kSecond, kWrap - 1}) {
    const Session session = run(Source{.base = base});
    is(session, "");
    assert_true(session.off_at_end[0] == 0 && session.end == base + 9984);
  }
}

// 5000 is a picture's time, and sound is sent from 5013 on.
void a_clock_that_jumps_back_is_closed(void**) {
  const Session session = run(Source{.jumps = {{5000, -4000}}});
  is(session, "backward v 5000: 1000>5000\n");
  assert_true(session.end == 9984);
  assert_true(session.off_at_end[0] == 0);
}

void a_clock_that_leaps_ahead_is_closed(void**) {
  const Session session = run(Source{.jumps = {{5000, 3 * kHour}}});
  is(session, "forward_jump v 5000: 10805000>5000\n");
  assert_true(session.end == 9984);
}

void sound_may_be_the_first_to_show_it(void**) {
  for (const std::int64_t by : {-4 * kSecond, 3 * kHour}) {
    const Session session = run(Source{.jumps = {{5001, by}}});
    assert_int_equal(session.repairs.size(), 1);
    assert_true(session.repairs[0].track == TrackKind::kAudio);
    assert_true(session.rising && session.apart <= 2 && std::abs(session.end - 9984) <= 2);
  }
}

void a_reset_goes_on_behind_the_longest_track(void**) {
  const Session session = run(Source{.base = kHour, .jumps = {{5000, -kHour - 5000}}});
  is(session, "reset v 3605013: 0>3605013\n", 13);
  const Session later = run(Source{.base = kHour, .jumps = {{5001, -kHour - 5001}}});
  assert_int_equal(later.repairs.size(), 1);
  assert_true(later.repairs[0].kind == RepairKind::kReset);
  assert_true(later.rising && later.apart <= 40);
}

// Wherever the limit of what is a jump lies, both tracks are on the same side of it, and a step too
// small to be one is closed when both make it. One picture may be shown earlier than it should by
// what it lasts: that it belongs to the step shows behind it.
void no_size_of_a_jump_parts_sound_and_picture(void**) {
  for (const std::int64_t picture : {17, 40, 83}) {
    for (std::int64_t by = -300; by < 0; ++by) {
      for (const std::int64_t at : {5000, 5020, 5063}) {
        const Session session =
            run(Source{.length = 6000, .picture = picture, .jumps = {{at, by}}});
        const double most = static_cast<double>(std::max<std::int64_t>(40, picture)) + 1;
        if (session.apart > most) {
          std::fprintf(stderr, "%lld, %lld at %lld: %.1f\n%s", static_cast<long long>(picture),
                       static_cast<long long>(by), static_cast<long long>(at), session.apart,
                       session.told().c_str());
        }
        assert_true(session.rising && session.apart <= most);
        assert_true(std::abs(session.off_at_end[0] - session.off_at_end[1]) < 3);
      }
    }
  }
  for (std::int64_t by = 9900; by < 10100; ++by) {
    for (const std::int64_t at : {5000, 5001, 5020}) {
      const Session session = run(Source{.jumps = {{at, by}}});
      // Up to 10 s it is a gap, for both.
      assert_true(session.rising);
      assert_true(std::abs(session.off_at_end[0] - session.off_at_end[1]) < 3);
      assert_true(session.repairs.size() <= 1);
    }
  }
}

void tracks_that_are_interleaved_loosely_jump_together(void**) {
  for (const std::int64_t behind : {-2 * kSecond, -200L, 200L, 2 * kSecond}) {
    for (const std::int64_t by : {-4 * kSecond, -300L, 2 * kHour}) {
      const Session session = run(Source{.sound_behind = behind, .jumps = {{5000, by}}});
      if (session.repairs.size() != 1 || session.apart > 2) {
        std::fprintf(stderr, "%lld %lld: %.1f\n%s", static_cast<long long>(behind),
                     static_cast<long long>(by), session.apart, session.told().c_str());
      }
      assert_true(session.rising && session.apart <= 2);
      assert_int_equal(session.repairs.size(), 1);
    }
  }
}

void one_track_may_jump_alone(void**) {
  for (const Who who : {Who::kPicture, Who::kSound}) {
    for (const std::int64_t by : {-4 * kSecond, -600L, 12 * kSecond, kHour}) {
      const Session session = run(Source{.length = 60 * kSecond, .jumps = {{5000, by, who}}});
      assert_int_equal(session.repairs.size(), 1);
      assert_true((session.repairs[0].track == TrackKind::kAudio) == (who == Who::kSound));
      assert_true(session.rising && session.apart <= 2);
    }
  }
}

// Sound first, the picture much later: they are together again.
void a_late_follower_finds_the_clock(void**) {
  const Session session =
      run(Source{.length = 2 * kMinute,
                 .jumps = {{5000, kHour, Who::kSound}, {kMinute, kHour, Who::kPicture}}});
  is(session, "forward_jump a 5013: 3605013>5013\nforward_jump v 60000: 3660000>60000\n");
}

void a_wrap_is_no_repair_and_hides_none(void**) {
  const std::int64_t base = kWrap - 5000;
  is(run(Source{.base = base, .jumps = {{5000, kHour}}}), "forward_jump v 4294967296: 3600000>0\n");
  is(run(Source{.base = base, .jumps = {{4000, kHour}}}),
     "forward_jump v 4294966296: 3599000>4294966296\n");
  is(run(Source{.base = base, .jumps = {{6000, -4000}}}),
     "backward v 4294968296: 4294964296>1000\n");
}

void a_clock_that_flaps_is_met_where_it_was(void**) {
  Source source{.length = 20 * kSecond};
  for (std::int64_t at = 1000; at < 20000; at += 500) {
    source.jumps.push_back({at, at / 500 % 2 == 0 ? kHour : -kHour});
  }
  Session session = run(source);
  assert_true(session.rising && session.apart <= 2);
  assert_int_equal(session.repairs.size(), source.jumps.size());
  assert_true(session.off_at_end[0] == 0);

  source.jumps.clear();
  for (std::int64_t at = 1000; at < 20000; at += 1) {  // each message is of another clock
    source.jumps.push_back({at, at % 2 == 0 ? kHour : -kHour});
  }
  session = run(source);
  assert_true(session.rising && session.apart <= 40 && session.end <= 20040);
}

void one_wrong_timestamp_leaves_no_trace(void**) {
  for (const std::int64_t by : {-3 * kSecond, kHour, 2 * kSecond - kWrap / 2}) {
    for (const Who who : {Who::kPicture, Who::kSound, Who::kBoth}) {
      const Session session = run(Source{.jumps = {{5000, by, who}, {5040, -by, who}}});
      assert_true(session.rising && session.apart <= 40);
      assert_true(session.off_at_end[0] == 0 && session.off_at_end[1] < 1.01);
      assert_true(session.end == 9984);
    }
  }
}

void two_jumps_before_the_other_track_follows(void**) {
  const Session session =
      run(Source{.sound_behind = 300, .jumps = {{5000, kHour}, {5100, kHour}, {5200, -3 * kHour}}});
  assert_true(session.rising && session.apart <= 2);
  assert_true(session.repairs.size() >= 3);
}

void a_pause_of_the_media_stays(void**) {
  const auto pause = [](TrackKind, std::int64_t at) { return at < 5000 || at >= 30 * kMinute; };
  const Session session = run(Source{.length = 31 * kMinute, .sends = pause});
  is(session, "");
  assert_true(session.off_at_end[0] == 0);
}

void a_rest_of_one_track_stays(void**) {
  for (const TrackKind rests : {TrackKind::kVideo, TrackKind::kAudio}) {
    const auto sends = [rests](TrackKind kind, std::int64_t at) {
      return kind != rests || at < 5000 || at >= 10 * kMinute;
    };
    const Session session = run(Source{.length = 11 * kMinute, .sends = sends, .real_time = false});
    is(session, "");
  }
}

void a_track_that_rested_and_jumped_goes_on_beside_the_other(void**) {
  const auto sends = [](TrackKind kind, std::int64_t at) {
    return kind == TrackKind::kVideo || at < 5000 || at >= 8000;
  };
  const Session session = run(
      Source{.length = 20 * kSecond, .jumps = {{6000, -4 * kHour, Who::kSound}}, .sends = sends});
  assert_int_equal(session.repairs.size(), 1);
  assert_true(session.rising && session.apart <= 40);
}

// An encoder on a slow line drops what it could not send, and is then where it should be.
void what_an_encoder_dropped_stays_a_gap(void**) {
  Session session;
  std::int64_t now = 0;
  for (std::int64_t ms = 0; ms < 10000; ms += 40, now += 40) {
    session.take(TrackKind::kVideo, ms, now);
  }
  for (std::int64_t ms = 10000; ms < 20000; ms += 40, now += 120) {  // three times slower
    session.take(TrackKind::kVideo, ms, now);
  }
  assert_true(session.take(TrackKind::kVideo, 40000, now).ms == 40000);
  is(session, "");
}

void what_is_sent_faster_than_real_time_may_have_gaps(void**) {
  const auto gap = [](TrackKind, std::int64_t at) { return at < 5000 || at >= 14000; };
  is(run(Source{.length = 20000, .sends = gap, .real_time = false}), "");
}

// Sound and picture that drift apart are what the encoder sends.
void a_drift_is_followed(void**) {
  Source source{.length = kHour};
  source.noise = [](TrackKind kind, std::int64_t at) {
    return kind == TrackKind::kAudio ? at / 1000 : 0;
  };
  const Session session = run(source);
  is(session, "");
}

// A clock of wall time that is noisy must not carry its track away.
void noise_adds_up_to_nothing(void**) {
  std::mt19937 random(5);
  Source source{.length = kHour};
  source.noise = [&random](TrackKind kind, std::int64_t) {
    return kind == TrackKind::kAudio ? static_cast<std::int64_t>(random() % 240) - 120 : 0;
  };
  const Session session = run(source);
  assert_true(session.rising);
  assert_true(session.apart <= 500);
}

void noise_of_both_adds_up_to_nothing(void**) {
  std::mt19937 random(6);
  Source source{.length = kHour};
  source.noise = [&random](TrackKind, std::int64_t) {
    return static_cast<std::int64_t>(random() % 240) - 120;
  };
  const Session session = run(source);
  assert_true(session.rising && session.apart <= 500);
  assert_true(std::abs(session.end - kHour) < kSecond);
}

void repeated_timestamps_wait_for_their_time(void**) {
  Session session;
  session.take(TrackKind::kVideo, 1000, 0);
  const SessionClock::Time first = session.take(TrackKind::kVideo, 1040, 40);
  for (int n = 1; n <= 3; ++n) {
    const SessionClock::Time again = session.take(TrackKind::kVideo, 1040, 40 + n * 40);
    assert_true(again.dts == first.dts + n);
  }
  assert_true(session.take(TrackKind::kVideo, 1200, 200).dts == first.dts + 4 * 4800);
  is(session,
     "repeated v 1040: 1040>1040\nrepeated v 1040: 1040>1040\nrepeated v 1040: 1040>1040\n");
}

void a_little_backwards_waits_for_its_time(void**) {
  Session session;
  session.take(TrackKind::kVideo, 1000, 0);
  session.take(TrackKind::kVideo, 1100, 40);
  const SessionClock::Time back = session.take(TrackKind::kVideo, 1034, 80);
  assert_true(back.dts == 1100 * 120 + 1 && back.ms == 1034);
  assert_true(session.take(TrackKind::kVideo, 1134, 120).dts == 1134 * 120);
  is(session, "backward v 1100: 1034>1100\n");
}

// Decoded earlier, shown when it should be.
void a_negative_composition_time_moves_the_decoding(void**) {
  Session session;
  const std::int32_t cts[] = {0, 120, 0, -80, -40};
  std::vector<std::int64_t> shown;
  for (std::int64_t n = 0; n < 50; ++n) {
    const SessionClock::Time time =
        session.take(TrackKind::kVideo, 1000 + n * 40, n * 40, cts[n % 5]);
    shown.push_back(time.dts + time.cts - (1000 + n * 40 + cts[n % 5]) * 120);
  }
  is(session, "negative_cts v 1120: -80>0\n");
  // The first one alone comes too late: the picture before it is out.
  assert_true(shown[3] == 40 * 120 + 1 || shown[3] == 1);
  shown.erase(shown.begin() + 3);
  assert_true(std::all_of(shown.begin(), shown.end(), [](std::int64_t off) { return off == 0; }));
}

void sound_with_a_zero_of_its_own_begins_beside_the_picture(void**) {
  for (const std::int64_t base : {kHour, std::int64_t{0}}) {
    Session session;
    for (std::int64_t n = 0; n < 100; ++n) {
      session.take(TrackKind::kVideo, (base == 0 ? kHour : 0) + n * 40, n * 40);
    }
    const std::int64_t at = session.take(TrackKind::kAudio, base, 3960).ms;
    assert_true(at == (base == 0 ? kHour : 0) + 99 * 40);
    session.take(TrackKind::kVideo, (base == 0 ? kHour : 0) + 4000, 4000);
    session.take(TrackKind::kAudio, base + 21, 4000);
    assert_int_equal(session.repairs.size(), 1);
  }
}

void a_late_track_is_on_the_sessions_clock(void**) {
  is(run(Source{.length = 20 * kSecond, .sound_from = 11 * kSecond}), "");
  is(run(Source{.length = 20 * kSecond, .jumps = {{5000, -4000}}, .sound_from = 6 * kSecond}),
     "backward v 5000: 1000>5000\n");
}

// Both clocks jump at the same instants, whenever and however far: nothing but that is repaired.
void random_jumps_of_both_part_nothing(void**) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    Source source{.length = 60 * kSecond};
    source.base = static_cast<std::int64_t>(random());
    source.sound_behind = static_cast<std::int64_t>(random() % 400) - 200;
    for (std::int64_t at = 2000; at < 58000; at += 1500 + random() % 5000) {
      const auto far = static_cast<std::int64_t>(random() >> 2) + 11000;
      const auto near = static_cast<std::int64_t>(random() % 60000) + 500;
      source.jumps.push_back({at, random() % 3 == 0 ? far : random() % 2 == 0 ? -far : -near});
    }
    const Session session = run(source);
    if (session.apart > 40 || !session.rising) {
      std::fprintf(stderr, "round %d: %.1f\n%s", round, session.apart, session.told().c_str());
    }
    assert_true(session.rising && session.apart <= 40);
    assert_true(session.end - source.base <= 60500);
  }
}

void survives_random_timestamps(void**) {
  std::mt19937 random(7);
  Session session;
  for (int n = 0; n < 300000; ++n) {
    session.take(random() % 2 == 0 ? TrackKind::kVideo : TrackKind::kAudio, random(), n,
                 static_cast<std::int32_t>(random()));
  }
  assert_true(session.rising);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_even_clock_is_followed),
      cmocka_unit_test(a_clock_that_jumps_back_is_closed),
      cmocka_unit_test(a_clock_that_leaps_ahead_is_closed),
      cmocka_unit_test(sound_may_be_the_first_to_show_it),
      cmocka_unit_test(a_reset_goes_on_behind_the_longest_track),
      cmocka_unit_test(no_size_of_a_jump_parts_sound_and_picture),
      cmocka_unit_test(tracks_that_are_interleaved_loosely_jump_together),
      cmocka_unit_test(one_track_may_jump_alone),
      cmocka_unit_test(a_late_follower_finds_the_clock),
      cmocka_unit_test(a_wrap_is_no_repair_and_hides_none),
      cmocka_unit_test(a_clock_that_flaps_is_met_where_it_was),
      cmocka_unit_test(one_wrong_timestamp_leaves_no_trace),
      cmocka_unit_test(two_jumps_before_the_other_track_follows),
      cmocka_unit_test(a_pause_of_the_media_stays),
      cmocka_unit_test(a_rest_of_one_track_stays),
      cmocka_unit_test(a_track_that_rested_and_jumped_goes_on_beside_the_other),
      cmocka_unit_test(what_an_encoder_dropped_stays_a_gap),
      cmocka_unit_test(what_is_sent_faster_than_real_time_may_have_gaps),
      cmocka_unit_test(a_drift_is_followed),
      cmocka_unit_test(noise_adds_up_to_nothing),
      cmocka_unit_test(noise_of_both_adds_up_to_nothing),
      cmocka_unit_test(repeated_timestamps_wait_for_their_time),
      cmocka_unit_test(a_little_backwards_waits_for_its_time),
      cmocka_unit_test(a_negative_composition_time_moves_the_decoding),
      cmocka_unit_test(sound_with_a_zero_of_its_own_begins_beside_the_picture),
      cmocka_unit_test(a_late_track_is_on_the_sessions_clock),
      cmocka_unit_test(random_jumps_of_both_part_nothing),
      cmocka_unit_test(survives_random_timestamps),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
