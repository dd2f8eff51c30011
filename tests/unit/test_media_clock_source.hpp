#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "media/session_clock.hpp"
#include "media/track_config.hpp"

// An encoder whose clock misbehaves as it is told, and a session that is told its messages.
namespace recording::test {

using namespace recording::media;

constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
constexpr std::int64_t kWrap = std::int64_t{1} << 32;
constexpr std::uint32_t kSoundTimescale = 48000;

enum class Who { kBoth, kPicture, kSound };

// From `at` on (time of the source), the encoder's clock says `by` ms more.
struct Jump {
  std::int64_t at, by;
  Who who = Who::kBoth;
};

// What an encoder sends: 25 pictures a second, with B-frames, and AAC at 48 kHz.
struct Source {
  std::int64_t length = 10 * kSecond;
  std::int64_t picture = 40;      // lasts
  std::int64_t base = 0;          // of its clock
  std::int64_t sound_behind = 0;  // its packets are sent later than the pictures of their time
  std::vector<Jump> jumps = {};
  std::int64_t sound_from = 0;
  std::function<std::int64_t(TrackKind, std::int64_t)> noise = {};
  std::function<bool(TrackKind, std::int64_t)> sends = {};
  bool real_time = true;
};

struct Sent {
  TrackKind kind;
  std::int64_t at;    // of the source
  std::int64_t time;  // what a clock that never jumps says
  std::uint32_t timestamp;
  std::int32_t cts;
  std::int64_t arrives;
};

inline std::vector<Sent> messages(const Source& source) {
  static constexpr std::int32_t kLate[] = {80, 200, 80, 0, 40};  // shown later: I P B b b
  std::vector<Sent> all;
  const auto add = [&](TrackKind kind, std::int64_t at, std::int32_t cts, std::int64_t arrives) {
    if (source.sends && !source.sends(kind, at)) {
      return;
    }
    std::int64_t time = source.base + at + (source.noise ? source.noise(kind, at) : 0);
    std::int64_t timestamp = time;
    for (const Jump& jump : source.jumps) {
      if (at >= jump.at &&
          (jump.who == Who::kBoth || (jump.who == Who::kSound) == (kind == TrackKind::kAudio))) {
        timestamp += jump.by;
      }
    }
    all.push_back({kind, at, time, static_cast<std::uint32_t>(timestamp), cts, arrives});
  };
  for (std::int64_t n = 0; n * source.picture < source.length; ++n) {
    add(TrackKind::kVideo, n * source.picture, kLate[n % 5], n * source.picture);
  }
  for (std::int64_t n = 0; n * 64 / 3 < source.length; ++n) {
    const std::int64_t at = n * 64 / 3;
    if (at >= source.sound_from) {
      add(TrackKind::kAudio, at, 0, at + source.sound_behind);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Sent& a, const Sent& b) { return a.arrives < b.arrives; });
  return all;
}

// A session that is told messages, and what became of them.
class Session {
 public:
  Session() {
    clock.describe(TrackKind::kVideo, kVideoTimescale, 4800);
    clock.describe(TrackKind::kAudio, kSoundTimescale, 1024);
  }
  SessionClock::Time take(TrackKind kind, std::int64_t timestamp, std::int64_t now,
                          std::int32_t cts = 0) {
    const auto i = static_cast<std::size_t>(kind);
    const SessionClock::Time time =
        clock.next(kind, static_cast<std::uint32_t>(timestamp), cts, now);
    rising = rising && (!any[i] || time.dts > last[i]);
    any[i] = true;
    last[i] = time.dts;
    if (time.repair.kind != RepairKind::kNone) {
      repairs.push_back(time.repair);
    }
    return time;
  }
  // `late`: how far sound and picture may be from where they were to each other.
  void run(const Source& source) {
    std::array<double, 2> off{};
    std::array<bool, 2> known{};
    for (const Sent& sent : messages(source)) {
      const auto i = static_cast<std::size_t>(sent.kind);
      const SessionClock::Time time =
          take(sent.kind, sent.timestamp, source.real_time ? sent.arrives : 0, sent.cts);
      const double ticks = sent.kind == TrackKind::kVideo ? kVideoTimescale : kSoundTimescale;
      const double shown = static_cast<double>(time.dts + time.cts) * 1000 / ticks;
      off[i] = shown - static_cast<double>(sent.time + sent.cts);
      known[i] = true;
      if (known[0] && known[1]) {
        apart = std::max(apart, std::abs(off[0] - off[1]));
      }
      off_at_end = off;
      end = std::max(end, time.ms);
    }
  }
  [[nodiscard]] std::string told() const {
    std::string all;
    for (const TimestampRepair& repair : repairs) {
      all += std::string(name_of(repair.kind)) +
             (repair.track == TrackKind::kVideo ? " v " : " a ") + std::to_string(repair.at_ms) +
             ": " + std::to_string(repair.from_ms) + ">" + std::to_string(repair.to_ms) + "\n";
    }
    return all;
  }

  SessionClock clock;
  bool rising = true;
  double apart = 0;  // ms: the most that sound and picture were away from their relation
  std::array<double, 2> off_at_end{};
  std::int64_t end = 0;
  std::vector<TimestampRepair> repairs;

 private:
  std::array<bool, 2> any{};
  std::array<std::int64_t, 2> last{};
};

}  // namespace recording::test
