#include "mp4/moov_plan.hpp"

#include <algorithm>
#include <limits>

namespace recording::mp4 {
namespace {

using media::TrackKind;

// ticks of `timescale` in those of the movie; nearest, or not less than.
std::uint64_t to_movie(std::int64_t ticks, std::uint32_t timescale, bool round_up) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(ticks, 0));
  const std::uint64_t part = value % timescale * kMovieTimescale;
  const std::uint64_t extra = round_up ? timescale - 1 : timescale / 2;
  return value / timescale * kMovieTimescale + (part + extra) / timescale;
}

// When a track begins and how long it is shown, in ticks of the movie.
struct Presentation {
  std::uint64_t start = 0;  // the empty edit; 0: no edit list
  std::uint64_t length = 0;

  explicit Presentation(const TrackTally& track) {
    const std::int64_t first_pts = track.first_dts + track.first_cts;
    start = to_movie(first_pts, track.first_setup.timescale, false);
    length = to_movie(track.end_pts - first_pts, track.first_setup.timescale, true);
  }
};

class Planner {
 public:
  Planner(MoovPlan& plan, std::int64_t created_wall_ms)
      : plan_(plan), out_(plan.bytes), created_wall_ms_(created_wall_ms) {}

  void write(const PerTrack<std::optional<TrackTally>>& tracks) {
    std::uint64_t longest = 0;
    for (const auto& track : tracks) {
      if (track) {
        const Presentation shown(*track);
        longest = std::max(longest, shown.start + shown.length);
      }
    }
    out_.box("moov", [&] {  // ISO/IEC 14496-12, 8.2.1
      write_mvhd(out_, created_wall_ms_, longest);
      for (TrackKind kind : kTrackOrder) {
        if (tracks[slot(kind)]) {
          write_trak(kind, *tracks[slot(kind)]);
        }
      }
    });
  }

 private:
  void write_trak(TrackKind kind, const TrackTally& track) {
    const Presentation shown(track);
    const TrackHeader header{kind,
                             &track.first_setup.config,
                             track.first_setup.timescale,
                             created_wall_ms_,
                             shown.start + shown.length,
                             static_cast<std::uint64_t>(track.end_dts - track.first_dts)};
    out_.box("trak", [&] {
      write_tkhd(out_, header);
      if (shown.start > 0) {
        write_edits(shown, track.first_cts);
      }
      out_.box("mdia", [&] {
        write_mdhd(out_, header);
        write_hdlr(out_, kind);
        out_.box("minf", [&] {
          write_media_info(out_, kind);
          write_stbl(kind, track);
        });
      });
    });
  }

  // ISO/IEC 14496-12, 8.6.6. Of all variants this one alone keeps picture and sound where the
  // encoder had them, in every player: nothing until the first pts, then the media from its first
  // composition time on.
  void write_edits(const Presentation& shown, std::uint32_t first_cts) {
    const bool wide =
        std::max(shown.start, shown.length) > std::numeric_limits<std::uint32_t>::max();
    out_.box("edts", [&] {
      out_.full_box("elst", wide ? 1 : 0, 0, [&] {
        out_.u32(2);
        out_.time(wide, shown.start);
        out_.time(wide, ~std::uint64_t{0});  // media_time -1: an empty edit
        out_.u32(0x10000);                   // rate 1
        out_.time(wide, shown.length);
        out_.time(wide, first_cts);
        out_.u32(0x10000);
      });
    });
  }

  void write_stbl(TrackKind kind, const TrackTally& track) {
    out_.box("stbl", [&] {
      table(kind, Table::kStsd, "stsd", track.entries, track.entry_bytes);      // 8.5.2
      table(kind, Table::kStts, "stts", track.stts_rows, track.stts_rows * 8);  // 8.6.1.2
      if (track.has_cts) {
        table(kind, Table::kCtts, "ctts", track.ctts_rows, track.ctts_rows * 8);  // 8.6.1.3
      }
      if (track.sync_samples != track.samples) {  // without it, all are sync samples: 8.6.2
        table(kind, Table::kStss, "stss", track.sync_samples, track.sync_samples * 4);
      }
      table(kind, Table::kStsc, "stsc", track.stsc_rows, track.stsc_rows * 12);  // 8.7.4
      out_.full_box("stsz", 0, 0, [&] {                                          // 8.7.3.2
        out_.u32(0);                                                             // each has its own
        rows(kind, Table::kStsz, track.samples, track.samples * 4);
      });
      const bool wide = plan_.wide_offsets;  // 8.7.5
      table(kind, Table::kChunks, wide ? "co64" : "stco", track.chunks,
            track.chunks * (wide ? 8 : 4));
    });
  }

  void table(TrackKind kind, Table which, std::string_view type, std::uint64_t count,
             std::uint64_t size) {
    out_.full_box(type, 0, 0, [&] { rows(kind, which, count, size); });
  }

  void rows(TrackKind kind, Table which, std::uint64_t count, std::uint64_t size) {
    out_.u32(static_cast<std::uint32_t>(count));
    out_.hole(size);
    plan_.holes.push_back({kind, which, plan_.bytes.size(), size});
    plan_.size += size;
  }

  MoovPlan& plan_;
  BoxWriter out_;
  std::int64_t created_wall_ms_;
};

}  // namespace

MoovPlan plan_moov(const PerTrack<std::optional<TrackTally>>& tracks, std::int64_t created_wall_ms,
                   std::uint64_t offset) {
  for (bool wide : {false, true}) {
    MoovPlan plan;
    plan.wide_offsets = wide;
    Planner(plan, created_wall_ms).write(tracks);
    plan.size += plan.bytes.size();
    if (wide || offset + plan.size <= std::numeric_limits<std::uint32_t>::max()) {
      return plan;
    }
  }
  return {};
}

}  // namespace recording::mp4
