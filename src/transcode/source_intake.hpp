#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "media/audio_source.hpp"
#include "media/flv_tag.hpp"
#include "media/session_clock.hpp"
#include "media/video_source.hpp"

namespace recording::transcode {

// One message of a publisher, taken apart.
struct SourceMessage {
  media::TrackKind kind = media::TrackKind::kVideo;
  media::TagHeader tag;
  // A sample whose track is described, with a time: all that ffmpeg is to get beside the headers.
  bool decodable = false;
  std::int64_t ms = 0;     // of such: decoding time on the session's clock, never falling
  std::uint64_t size = 0;  // of the whole message
  // What a key frame lacks of its parameter sets, to be put in `at` bytes behind the tag's header;
  // valid until the next message. A decoder may begin, or go on after a change, with it alone.
  media::VideoSource::Arrangement sets;
  bool config_changed = false;  // config() of the track is another one now
};

// Decodes what one publisher says of its media, as its messages come. Event loop only; copies no
// media bytes.
class SourceIntake {
 public:
  // `timestamp_ms`: as received; `now_ms`: monotonic.
  SourceMessage take(media::TrackKind kind, std::uint32_t timestamp_ms, std::int64_t now_ms,
                     media::Pieces message);

  // What is in force of the track; nullptr: nothing that can be decoded has come yet.
  [[nodiscard]] const media::TrackConfig* config(media::TrackKind kind) const;

 private:
  bool take_header(media::TrackKind kind, media::Codec codec, ByteView record);
  bool set_config(media::TrackKind kind, const media::TrackConfig& config);
  void take_sample(SourceMessage& message, std::uint32_t timestamp_ms, std::int64_t now_ms);

  media::SessionClock clock_;
  std::unique_ptr<media::VideoSource> video_;
  media::Codec video_codec_ = media::Codec::kNone;
  media::AudioSource audio_;
  std::array<std::optional<media::TrackConfig>, media::kTrackKinds> configs_;
  std::vector<iovec> payload_;  // kept, so that no message costs an allocation
};

}  // namespace recording::transcode
