#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "media/sample_clock.hpp"
#include "media/timestamp_repair.hpp"

namespace recording::media {

// Makes one rising timeline of the 32-bit millisecond timestamps of a session, for both tracks
// together: the one place that decides what of an encoder's clock is followed.
//
// A wrap of 2^32 is unwound; that is no repair. A timestamp is followed, however uneven, as long as
// it can be the same clock's: a pause of the media stays a pause, a drift of sound against picture
// stays a drift. It cannot be the same clock's
//  - when it is more than 250 ms behind the track's last one; less than that waits for its time,
//    see SampleClock, unless the other track goes back as much at the same time;
//  - when it is more than 10 s ahead, of the track and of where the session can be: so much time
//    has not passed since the last message came (monotonic), nor did the session lag behind so much
//    (up to a minute; then an encoder had dropped what it could not send).
// Then the clock jumped, and the track goes on where its next sample was expected: after a reset to
// zero, where the longest track ended. The jump belongs to both tracks: the other one's old clock
// and its old clock shifted as much are compared for 10 s, and it follows when what it sends fits
// the shifted one better, exactly, so sound and picture stay as they were. A jump of one track
// alone moves that track alone. A clock that jumps back to where it was is met by the offset that
// it had, so errors do not add up.
//
// Event loop only; some compares a message; allocates nothing.
class SessionClock {
 public:
  struct Time {
    std::int64_t ms;    // of the session: the received time, its jumps closed
    std::int64_t dts;   // ticks of the track, strictly increasing
    std::uint32_t cts;  // ticks
    TimestampRepair repair;
  };

  // The track has (from now on) these ticks; see SampleClock. Before its first sample.
  void describe(TrackKind kind, std::uint32_t timescale, std::uint32_t declared_duration);

  // `now_ms`: monotonic time of arrival. The session's time begins with its first timestamp.
  Time next(TrackKind kind, std::uint32_t timestamp_ms, std::int32_t cts_ms, std::int64_t now_ms);

  // What the track's next sample is expected to last, ticks; 0 before describe().
  [[nodiscard]] std::uint32_t expected_duration(TrackKind kind) const;

 private:
  struct Track {
    std::optional<SampleClock> samples;
    std::uint32_t timescale = 0;
    bool started = false;
    bool has_next = false;         // `samples` has one
    bool follows = false;          // the other track's clock jumped, and this one's has not yet
    std::int64_t offset = 0;       // session time - received time
    std::int64_t alternative = 0;  // the same on the clock before the last jump, or behind it
    std::int64_t last_ms = 0;      // the latest so far
    std::int64_t other_ms = 0;     // last_ms of the other track when this one's last sample came
    std::uint32_t last_timestamp = 0;
    std::int64_t went_back = 0;  // by so much; while it waits for its time
  };
  // Where samples of a track are expected: between its own next and the session's latest.
  struct Expected {
    std::int64_t from, to;
    [[nodiscard]] std::int64_t distance(std::int64_t ms) const {
      return ms < from ? from - ms : ms > to ? ms - to : 0;
    }
  };

  [[nodiscard]] Track& track(TrackKind kind) { return tracks_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] Track& other(TrackKind kind) { return tracks_[1 - static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::int64_t next_of(const Track& it) const;
  [[nodiscard]] Expected expected(const Track& it) const;
  [[nodiscard]] std::int64_t latest_possible(std::int64_t now_ms) const;
  [[nodiscard]] bool jumps(TrackKind kind, std::int64_t ms, std::int64_t now_ms) const;
  [[nodiscard]] std::int64_t early(const Track& it) const;
  [[nodiscard]] bool goes_back_with_other(TrackKind kind) const;
  [[nodiscard]] bool goes_on(TrackKind kind, std::int64_t step) const;
  void begin(TrackKind kind, std::uint32_t timestamp_ms, std::int64_t now_ms);
  bool try_other_clock(TrackKind kind, std::int64_t now_ms);
  void close_jump(TrackKind kind, bool reset);

  std::array<Track, kTrackKinds> tracks_;
  std::int64_t received_ms_ = 0;  // the last one, of whichever track, unwound
  std::int64_t latest_ms_ = 0;    // of the session
  std::int64_t arrived_ms_ = 0;   // monotonic, of the last message
  std::int64_t lead_ms_ = 0;      // the most that session time was ever ahead of arrival
  // While something came too early now and then.
  std::int64_t unsteady_since_ms_ = 0;
  std::int64_t unsteady_until_ms_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t compare_until_ms_ = std::numeric_limits<std::int64_t>::min();  // of the session
};

}  // namespace recording::media
