#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mp4/movie_boxes.hpp"
#include "mp4/selection.hpp"
#include "mp4/track_table.hpp"

namespace recording::mp4 {

// What must be counted of a track before its boxes can be laid out.
struct TrackTally {
  TrackSetup first_setup;
  std::uint64_t samples = 0, sync_samples = 0;
  std::uint64_t stts_rows = 0, ctts_rows = 0, stsc_rows = 0, chunks = 0;
  std::uint64_t entries = 0, entry_bytes = 0;  // of stsd
  bool has_cts = false;
  std::int64_t first_dts = 0, end_dts = 0, end_pts = 0;
  std::uint32_t first_cts = 0;
};

enum class Table : std::uint8_t { kStsd, kStts, kCtts, kStss, kStsc, kStsz, kChunks };
inline constexpr std::size_t kTables = 7;

// moov without the rows of its tables, and where those belong.
struct MoovPlan {
  struct Hole {
    media::TrackKind kind;
    Table table;
    std::size_t at;  // in `bytes`: the rows come before this byte
    std::uint64_t size;
  };
  Bytes bytes;
  std::vector<Hole> holes;
  std::uint64_t size = 0;     // of the whole moov
  bool wide_offsets = false;  // co64
};

using TrackTallies = PerTrack<std::optional<TrackTally>>;

// `shown`: what part of the recording's time; the movie begins with it. `others`: how long the file
// is without the moov. Offsets are 64 bits wide only when with it, wherever it stands, 32 bits
// cannot say them.
MoovPlan plan_moov(const TrackTallies& tracks, std::int64_t created_wall_ms, const Shown& shown,
                   std::uint64_t others);

}  // namespace recording::mp4
