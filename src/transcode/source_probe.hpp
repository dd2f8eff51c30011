#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "media/flv_metadata.hpp"
#include "transcode/frozen_source.hpp"
#include "transcode/source_intake.hpp"

namespace recording::transcode {

// Watches the beginning of a session until it is known what its live playback is built from.
// Event loop only. What comes meanwhile is the caller's to keep: it is part of the live playback.
//
// Ready when something has come of every track that onMetaData announces, and a quarter of a second
// of media has shown that pictures come as fast as is declared; without onMetaData, or with one
// that does not say enough, after the first second of media. A track of which nothing has come
// after three seconds is not part of the session.
class SourceProbe {
 public:
  enum class State {
    kProbing,
    kReady,   // frozen() is there, and never changes any more
    kRefused  // refusal() says why this source cannot be transcoded, to a person
  };

  // onMetaData, whenever it comes. One that comes after kReady changes nothing.
  void take_metadata(const media::FlvMetadata& metadata);
  // `intake` has just given `message`; `now_ms`: monotonic.
  State take(const SourceMessage& message, const SourceIntake& intake, std::int64_t now_ms);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const FrozenSource& frozen() const { return frozen_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  struct Track {
    std::uint64_t samples = 0, bytes = 0;
    std::int64_t first_ms = 0, last_ms = 0;
  };

  [[nodiscard]] bool is_expected(media::TrackKind kind) const;
  [[nodiscard]] const media::TrackConfig* heard(const SourceIntake& intake,
                                                media::TrackKind kind) const;
  [[nodiscard]] bool is_complete(const SourceIntake& intake, std::int64_t now_ms) const;
  [[nodiscard]] std::int64_t seen_ms() const;
  void refuse(std::string why);
  void freeze(const SourceIntake& intake);
  [[nodiscard]] FrozenVideo freeze_video(const media::TrackConfig& config) const;
  [[nodiscard]] FrozenAudio freeze_audio(const media::TrackConfig& config) const;
  [[nodiscard]] double rate_shown() const;
  [[nodiscard]] Frozen<media::FrameRate> frame_rate(const media::TrackConfig& config) const;
  [[nodiscard]] Frozen<std::int64_t> bit_rate(media::TrackKind kind,
                                              std::optional<std::int64_t> declared) const;

  State state_ = State::kProbing;
  std::optional<media::FlvMetadata> metadata_;
  std::array<Track, media::kTrackKinds> tracks_;
  std::int64_t began_ms_ = -1;  // monotonic, of the first message
  FrozenSource frozen_;
  std::string refusal_;
};

}  // namespace recording::transcode
