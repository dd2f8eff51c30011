#include "mp4/moov_plan.hpp"

#include <algorithm>
#include <limits>

#include "mp4/rescale.hpp"

namespace recording::mp4 {
namespace {

using media::TrackKind;

// Which part of a track is shown, and when.
struct Presentation {
  std::int64_t start = 0;       // ticks of the movie before it: an empty edit
  std::int64_t media_time = 0;  // ticks of the track, from its first dts on
  std::int64_t length = 0;      // ticks of the movie
  bool cut = false;             // an edit must end it before its last sample is over

  Presentation(const TrackTally& track, const Shown& shown) {
    const std::uint32_t timescale = track.first_setup.timescale;
    const std::int64_t first_pts = track.first_dts + track.first_cts;
    const std::int64_t begin = rescale(first_pts, timescale, kMovieTimescale, timescale / 2);
    std::int64_t skipped = 0;
    if (begin > shown.begin) {
      start = begin - shown.begin;
    } else {
      skipped = rescale(shown.begin, kMovieTimescale, timescale, kMovieTimescale / 2) - first_pts;
      skipped = std::max<std::int64_t>(skipped, 0);
    }
    media_time = track.first_cts + skipped;
    length = rescale(std::max<std::int64_t>(track.end_pts - first_pts - skipped, 0), timescale,
                     kMovieTimescale, timescale - 1);
    const std::int64_t until = std::max<std::int64_t>(shown.end - shown.begin - start, 0);
    cut = until < length;
    length = std::min(length, until);
  }

  [[nodiscard]] bool needs_edits() const { return start > 0 || media_time > 0 || cut; }
};

class Planner {
 public:
  Planner(MoovPlan& plan, std::int64_t created_wall_ms, const Shown& shown)
      : plan_(plan), out_(plan.bytes), created_wall_ms_(created_wall_ms), shown_(shown) {}

  void write(const TrackTallies& tracks) {
    std::int64_t longest = 0;
    for (const auto& track : tracks) {
      if (track) {
        const Presentation shown(*track, shown_);
        longest = std::max(longest, shown.start + shown.length);
      }
    }
    out_.box("moov", [&] {  // ISO/IEC 14496-12, 8.2.1
      write_mvhd(out_, created_wall_ms_, static_cast<std::uint64_t>(longest));
      for (TrackKind kind : kTrackOrder) {
        if (tracks[slot(kind)]) {
          write_trak(kind, *tracks[slot(kind)]);
        }
      }
    });
  }

 private:
  void write_trak(TrackKind kind, const TrackTally& track) {
    const Presentation shown(track, shown_);
    const TrackHeader header{kind,
                             &track.first_setup.config,
                             track.first_setup.timescale,
                             created_wall_ms_,
                             static_cast<std::uint64_t>(shown.start + shown.length),
                             static_cast<std::uint64_t>(track.end_dts - track.first_dts)};
    out_.box("trak", [&] {
      write_tkhd(out_, header);
      if (shown.needs_edits()) {
        write_edits(shown);
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
  // composition time on. In a clip the media begins where the clip does: a sound packet that began
  // earlier, and pictures that are there to be decoded only, are not shown.
  void write_edits(const Presentation& shown) {
    const bool wide = std::max({shown.start, shown.length, shown.media_time}) >
                      std::numeric_limits<std::int32_t>::max();
    const auto time = [&](std::int64_t value) {
      out_.time(wide, static_cast<std::uint64_t>(value));
    };
    out_.box("edts", [&] {
      out_.full_box("elst", wide ? 1 : 0, 0, [&] {
        out_.u32(shown.start > 0 ? 2 : 1);
        if (shown.start > 0) {
          time(shown.start);
          time(-1);           // media_time: an empty edit
          out_.u32(0x10000);  // rate 1
        }
        time(shown.length);
        time(shown.media_time);
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
  Shown shown_;
};

}  // namespace

MoovPlan plan_moov(const TrackTallies& tracks, std::int64_t created_wall_ms, const Shown& shown,
                   std::uint64_t others) {
  for (bool wide : {false, true}) {
    MoovPlan plan;
    plan.wide_offsets = wide;
    Planner(plan, created_wall_ms, shown).write(tracks);
    plan.size += plan.bytes.size();
    if (wide || others + plan.size <= std::numeric_limits<std::uint32_t>::max()) {
      return plan;
    }
  }
  return {};
}

}  // namespace recording::mp4
