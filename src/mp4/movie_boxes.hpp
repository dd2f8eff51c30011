#pragma once

#include <cstdint>

#include "media/track_config.hpp"
#include "mp4/box_writer.hpp"

namespace recording::mp4 {

// Ticks a second of mvhd, tkhd and elst. The video's own, so that an edit list says its times
// exactly; audio is off by at most 4 us.
inline constexpr std::uint32_t kMovieTimescale = media::kVideoTimescale;

// Fixed, whether or not the other exists: a later track changes nothing of the first.
constexpr std::uint32_t track_id(media::TrackKind kind) {
  return kind == media::TrackKind::kVideo ? 1 : 2;
}
inline constexpr std::uint32_t kNextTrackId = 3;

// What a trak says of itself, besides its samples. Durations in the timescale of their box.
struct TrackHeader {
  media::TrackKind kind = media::TrackKind::kVideo;
  const media::TrackConfig* config = nullptr;  // of its first sample entry
  std::uint32_t timescale = 0;
  std::int64_t created_wall_ms = 0;
  std::uint64_t movie_duration = 0;
  std::uint64_t media_duration = 0;
};

void write_ftyp(BoxWriter& out);
void write_mvhd(BoxWriter& out, std::int64_t created_wall_ms, std::uint64_t duration);
void write_tkhd(BoxWriter& out, const TrackHeader& track);
void write_mdhd(BoxWriter& out, const TrackHeader& track);
void write_hdlr(BoxWriter& out, media::TrackKind kind);
// vmhd or smhd, and dinf.
void write_media_info(BoxWriter& out, media::TrackKind kind);

}  // namespace recording::mp4
