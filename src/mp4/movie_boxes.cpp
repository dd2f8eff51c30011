#include "mp4/movie_boxes.hpp"

#include <algorithm>
#include <limits>

namespace recording::mp4 {
namespace {

using media::TrackKind;

constexpr std::uint64_t kUnixEpochIn1904 = 2082844800;  // s from 1904 to 1970 UTC

std::uint64_t creation_time(std::int64_t wall_ms) {
  return kUnixEpochIn1904 + static_cast<std::uint64_t>(std::max<std::int64_t>(wall_ms, 0)) / 1000;
}

bool is_wide(std::uint64_t created, std::uint64_t duration) {
  return std::max(created, duration) > std::numeric_limits<std::uint32_t>::max();
}

void unity_matrix(BoxWriter& out) {
  for (std::uint32_t value : {0x10000U, 0U, 0U, 0U, 0x10000U, 0U, 0U, 0U, 0x40000000U}) {
    out.u32(value);
  }
}

// 16.16 of the width on the screen, which the aspect ratio stretches.
std::uint32_t display_width(const media::TrackConfig& config) {
  const std::uint64_t sar_den = std::max<std::uint32_t>(config.source.sar_den, 1);
  const std::uint64_t width = config.source.width *
                              std::uint64_t{std::max<std::uint32_t>(config.source.sar_num, 1)} /
                              sar_den;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(width, 0xFFFF)) << 16;
}

}  // namespace

void write_ftyp(BoxWriter& out) {
  out.box("ftyp", [&] {  // ISO/IEC 14496-12, 4.3
    out.text("isom");
    out.u32(0x200);
    // iso5: default-base-is-moof; iso6: tfdt.
    for (std::string_view brand : {"isom", "iso5", "iso6", "avc1", "mp41"}) {
      out.text(brand);
    }
  });
}

void write_mvhd(BoxWriter& out, std::int64_t created_wall_ms, std::uint64_t duration) {
  const std::uint64_t created = creation_time(created_wall_ms);
  const bool wide = is_wide(created, duration);
  out.full_box("mvhd", wide ? 1 : 0, 0, [&] {  // ISO/IEC 14496-12, 8.2.2
    out.time(wide, created);
    out.time(wide, created);
    out.u32(kMovieTimescale);
    out.time(wide, duration);
    out.u32(0x10000);  // rate 1
    out.u16(0x100);    // volume 1
    out.zeros(10);
    unity_matrix(out);
    out.zeros(24);
    out.u32(kNextTrackId);
  });
}

void write_tkhd(BoxWriter& out, const TrackHeader& track) {
  const std::uint64_t created = creation_time(track.created_wall_ms);
  const bool wide = is_wide(created, track.movie_duration);
  const bool video = track.kind == TrackKind::kVideo;
  constexpr std::uint32_t kEnabledInMovie = 3;
  out.full_box("tkhd", wide ? 1 : 0, kEnabledInMovie, [&] {  // ISO/IEC 14496-12, 8.3.2
    out.time(wide, created);
    out.time(wide, created);
    out.u32(track_id(track.kind));
    out.u32(0);
    out.time(wide, track.movie_duration);
    out.zeros(8);
    out.u16(0);                  // layer
    out.u16(video ? 0 : 1);      // alternate group: video and audio are no alternatives
    out.u16(video ? 0 : 0x100);  // volume
    out.u16(0);
    unity_matrix(out);
    out.u32(video ? display_width(*track.config) : 0);
    out.u32(video ? std::min<std::uint32_t>(track.config->source.height, 0xFFFF) << 16 : 0);
  });
}

void write_mdhd(BoxWriter& out, const TrackHeader& track) {
  const std::uint64_t created = creation_time(track.created_wall_ms);
  const bool wide = is_wide(created, track.media_duration);
  out.full_box("mdhd", wide ? 1 : 0, 0, [&] {  // ISO/IEC 14496-12, 8.4.2
    out.time(wide, created);
    out.time(wide, created);
    out.u32(track.timescale);
    out.time(wide, track.media_duration);
    out.u16(0x55C4);  // "und"
    out.u16(0);
  });
}

void write_hdlr(BoxWriter& out, TrackKind kind) {
  const bool video = kind == TrackKind::kVideo;
  out.full_box("hdlr", 0, 0, [&] {  // ISO/IEC 14496-12, 8.4.3
    out.u32(0);
    out.text(video ? "vide" : "soun");
    out.zeros(12);
    out.text(video ? "Video" : "Audio");
    out.u8(0);
  });
}

void write_media_info(BoxWriter& out, TrackKind kind) {
  if (kind == TrackKind::kVideo) {
    out.full_box("vmhd", 0, 1, [&] { out.zeros(8); });  // ISO/IEC 14496-12, 12.1.2
  } else {
    out.full_box("smhd", 0, 0, [&] { out.zeros(4); });  // 12.2.2
  }
  out.box("dinf", [&] {  // 8.7.1: everything is in this file
    out.full_box("dref", 0, 0, [&] {
      out.u32(1);
      out.full_box("url ", 0, 1, [] {});
    });
  });
}

}  // namespace recording::mp4
