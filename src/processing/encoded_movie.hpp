#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/track_config.hpp"

namespace recording::processing {

// A sample as an encoder wrote it. Times in ticks of its track.
struct EncodedSample {
  std::size_t track = 0;  // in the order of the movie
  std::int64_t dts = 0, pts = 0;
  bool key = false;
  ByteView bytes;
};

// Takes a fragmented MP4 apart as it comes out of a pipe: what ffmpeg's muxer writes with
// "empty_moov+default_base_moof" of H.264 and AAC (ISO/IEC 14496-12, 8.8; 14496-15, 5.3). Holds a
// fragment at most. Bytes from outside: anything else is kCorrupt, never a wild number.
class EncodedMovie {
 public:
  using OnSample = std::function<Status(const EncodedSample&)>;

  // Calls `then` for each sample that has become whole: by track, in decoding order.
  Status take(ByteView bytes, const OnSample& then);
  // There is nothing of a fragment that is not whole.
  [[nodiscard]] bool at_boundary() const { return buffer_.empty() && runs_.empty(); }
  // Known before the first sample.
  [[nodiscard]] const std::vector<media::TrackConfig>& tracks() const { return tracks_; }

 private:
  struct Run {
    std::size_t track;
    std::size_t offset;  // from the beginning of moof
    struct Sample {
      std::int64_t dts, pts;
      std::uint32_t size;
      bool key;
    };
    std::vector<Sample> samples;
  };

  Status take_box(std::uint32_t type, ByteView box, const OnSample& then);
  Status take_moov(ByteView body);
  Status take_moof(ByteView box);
  Status take_traf(ByteView body);
  Status take_mdat(ByteView box, const OnSample& then);

  Bytes buffer_;
  std::vector<media::TrackConfig> tracks_;
  std::vector<std::uint32_t> ids_;
  std::vector<Run> runs_;  // of the moof that was read, whose mdat is awaited
  std::size_t moof_size_ = 0;
};

}  // namespace recording::processing
