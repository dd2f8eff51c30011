// Bytes become the timestamps of a session. Whatever they are, times rise. When they are those of
// an even source whose clock jumps, sound and picture stay as they were to each other, and the
// session is no longer than the source and the steps that may have been gaps.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "media/session_clock.hpp"
#include "media/track_config.hpp"

namespace {

using namespace recording::media;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool ended() const { return at_ >= size_; }
  std::uint8_t u8() { return ended() ? std::uint8_t{0} : data_[at_++]; }
  std::uint32_t u16() { return static_cast<std::uint32_t>(u8()) << 8 | u8(); }
  std::uint32_t u32() { return u16() << 16 | u16(); }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

class Session {
 public:
  Session() {
    clock_.describe(TrackKind::kVideo, kVideoTimescale, 4800);
    clock_.describe(TrackKind::kAudio, 48000, 1024);
  }
  SessionClock::Time take(TrackKind kind, std::uint32_t timestamp, std::int32_t cts,
                          std::int64_t now) {
    const auto i = static_cast<std::size_t>(kind);
    const SessionClock::Time time = clock_.next(kind, timestamp, cts, now);
    if (any_[i] && time.dts <= last_[i]) {
      fail("a time that does not rise");
    }
    if (time.repair.kind != RepairKind::kNone && time.repair.track != kind) {
      fail("a repair of another track");
    }
    any_[i] = true;
    last_[i] = time.dts;
    return time;
  }
  void describe(std::uint8_t which) {
    clock_.describe(TrackKind::kAudio, which % 2 == 0 ? 48000 : 44100, 1024);
    any_[1] = false;  // in other ticks
  }

 private:
  SessionClock clock_;
  std::array<bool, 2> any_{};
  std::array<std::int64_t, 2> last_{};
};

void anything(Input& in) {
  Session session;
  std::uint32_t timestamp = in.u32();
  std::int64_t now = 0;
  while (!in.ended()) {
    const std::uint8_t what = in.u8();
    const TrackKind kind = (what & 1) != 0 ? TrackKind::kAudio : TrackKind::kVideo;
    const std::uint32_t step = (what & 2) != 0 ? in.u32() : in.u8();
    timestamp = (what & 4) != 0 ? timestamp - step : timestamp + step;
    now += (what & 8) != 0 ? in.u16() * 10 : 20;
    const auto cts = static_cast<std::int32_t>((what & 16) != 0 ? in.u32() : 0);
    if ((what & 0xE0) == 0xE0) {
      session.describe(in.u8());
    }
    (void)session.take(kind, timestamp, cts >> 8, now);
  }
}

void jumps(Input& in, bool real_time) {
  constexpr std::int64_t kApart = 100, kBetweenJumps = 1000, kLongestStep = 10'000;
  Session session;
  const std::int64_t base = in.u32();
  std::int64_t ahead = 0, jumped_at = 0, most = base, end = base;
  std::array<std::int64_t, 2> sent{}, off{};
  std::array<bool, 2> known{};
  while (!in.ended()) {
    // In order of time, but for some pieces of sound that come late.
    const bool sound = sent[1] * 64 / 3 + (in.u8() & 63) < sent[0] * 40;
    const std::int64_t at = sound ? sent[1]++ * 64 / 3 : sent[0]++ * 40;
    if (at - jumped_at >= kBetweenJumps && in.u8() % 4 == 0) {
      ahead += static_cast<std::int32_t>(in.u32()) >> (in.u8() % 24);
      jumped_at = at;
      most += kLongestStep;
    }
    if (at < jumped_at) {
      continue;  // lost with the old clock
    }
    const TrackKind kind = sound ? TrackKind::kAudio : TrackKind::kVideo;
    const SessionClock::Time time =
        session.take(kind, static_cast<std::uint32_t>(base + at + ahead), 0, real_time ? at : 0);
    const std::size_t i = sound ? 1 : 0;
    off[i] = time.dts / (sound ? 48 : 120) - base - at;
    known[i] = true;
    end = std::max(end, time.ms);
    if (known[0] && known[1] && at - jumped_at > 2 * kApart && std::abs(off[0] - off[1]) > kApart) {
      std::fprintf(stderr, "at %lld: %lld and %lld\n", static_cast<long long>(at),
                   static_cast<long long>(off[0]), static_cast<long long>(off[1]));
      fail("sound and picture came apart");
    }
    if (end > most + at + 100) {
      fail("a session longer than its source");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const std::uint8_t how = in.u8();
  if (how % 3 == 0) {
    anything(in);
  } else {
    jumps(in, how % 3 == 1);
  }
  return 0;
}
