#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mp4/movie_boxes.hpp"
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

// `offset`: where moov will be. Offsets are 64 bits wide only when the file, or the file with its
// moov sent first, is longer than 32 bits can say.
MoovPlan plan_moov(const PerTrack<std::optional<TrackTally>>& tracks, std::int64_t created_wall_ms,
                   std::uint64_t offset);

}  // namespace recording::mp4
