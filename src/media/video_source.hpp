#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/key_frame.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// The pictures of one encoder in one session, of one codec: what it says of them, in sequence
// headers and in the pictures themselves. One class a codec. Event loop only.
class VideoSource {
 public:
  // What a key frame must get so that a decoder can begin with it.
  struct Arrangement {
    std::uint64_t at = 0;  // bytes into the sample
    ByteView insert;       // empty: nothing; valid until the next call
  };

  virtual ~VideoSource() = default;

  // A sequence header's configuration record. It is in force from the next picture on that begins a
  // coded sequence; the first one at once. An error, with a sentence: nothing has changed.
  virtual Status announce(ByteView record) = 0;
  // A sample that the encoder calls a key frame, of 4-byte NAL lengths. It may bring
  // parameter sets of its own, which are then in force.
  virtual Arrangement take_key_frame(Pieces sample) = 0;
  // What is in force. Changes only in the calls above. Codec::kNone as long as nothing said it: AV1
  // and VP9 may leave it to their key frames.
  [[nodiscard]] virtual const TrackConfig& track() const = 0;
  // As the encoder sends NAL lengths; 4 for a codec that has none.
  [[nodiscard]] virtual std::uint8_t nal_length_size() const { return 4; }
};

// nullptr: no such codec of video.
std::unique_ptr<VideoSource> make_video_source(Codec codec);

}  // namespace recording::media
