#include "mp4/fragment_header.hpp"

#include <algorithm>

#include "mp4/box_writer.hpp"
#include "mp4/fragment_flags.hpp"
#include "mp4/movie_boxes.hpp"

namespace recording::mp4 {
namespace {

using media::TrackKind;

bool same_durations(const RunView& run) {
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    if (run.duration(i) != run.last_duration) {
      return false;
    }
  }
  return true;
}

// Which per-sample fields a run needs: as few as say the same.
std::uint32_t trun_flags(const RunView& run) {
  std::uint32_t flags = kTrunDataOffset | kTrunSize;
  const auto& samples = run.samples;
  if (!same_durations(run)) {
    flags |= kTrunDuration;
  }
  if (std::any_of(samples.begin(), samples.end(), [](const Sample& s) { return s.cts != 0; })) {
    flags |= kTrunCts;
  }
  if (run.kind == TrackKind::kVideo) {
    const bool later_key =
        std::any_of(samples.begin() + 1, samples.end(), [](const Sample& s) { return s.key; });
    if (later_key) {
      flags |= kTrunFlags;
    } else if (samples.front().key) {
      flags |= kTrunFirstFlags;
    }
  }
  return flags;
}

// Returns where trun's data_offset is, to be filled in when the size of moof is known.
std::size_t write_trun(BoxWriter& out, const RunView& run, std::uint32_t flags) {
  std::size_t data_offset_at = 0;
  out.full_box("trun", 0, flags, [&] {  // ISO/IEC 14496-12, 8.8.8
    out.u32(static_cast<std::uint32_t>(run.samples.size()));
    data_offset_at = out.position();
    out.u32(0);
    if ((flags & kTrunFirstFlags) != 0) {
      out.u32(kSyncFlags);
    }
    for (std::size_t i = 0; i < run.samples.size(); ++i) {
      const Sample& sample = run.samples[i];
      if ((flags & kTrunDuration) != 0) {
        out.u32(run.duration(i));
      }
      out.u32(sample.size);
      if ((flags & kTrunFlags) != 0) {
        out.u32(sample.key ? kSyncFlags : kNonSyncFlags);
      }
      if ((flags & kTrunCts) != 0) {
        out.u32(sample.cts);
      }
    }
  });
  return data_offset_at;
}

std::size_t write_traf(BoxWriter& out, const RunView& run, std::uint32_t trex_duration) {
  const std::uint32_t flags = trun_flags(run);
  const bool own_default = (flags & kTrunDuration) == 0 && run.last_duration != trex_duration;
  const auto dts = static_cast<std::uint64_t>(run.samples.front().dts);
  const bool wide = dts > std::numeric_limits<std::uint32_t>::max();
  std::size_t data_offset_at = 0;
  out.box("traf", [&] {  // ISO/IEC 14496-12, 8.8.6
    out.full_box("tfhd", 0, kTfhdDefaultBaseIsMoof | (own_default ? kTfhdDefaultDuration : 0), [&] {
      out.u32(track_id(run.kind));
      if (own_default) {
        out.u32(run.last_duration);
      }
    });
    out.full_box("tfdt", wide ? 1 : 0, 0, [&] { out.time(wide, dts); });  // 8.8.12
    data_offset_at = write_trun(out, run, flags);
  });
  return data_offset_at;
}

}  // namespace

void write_fragment_header(Bytes& bytes, std::uint32_t sequence, std::span<const RunView> runs,
                           const PerTrack<std::uint32_t>& trex_duration) {
  BoxWriter out(bytes);
  const std::size_t start = bytes.size();
  PerTrack<std::size_t> data_offset_at{};
  out.box("moof", [&] {  // ISO/IEC 14496-12, 8.8.4
    out.full_box("mfhd", 0, 0, [&] { out.u32(sequence); });
    for (const RunView& run : runs) {
      data_offset_at[slot(run.kind)] = write_traf(out, run, trex_duration[slot(run.kind)]);
    }
  });
  std::uint64_t media = 0;
  const std::uint64_t first = bytes.size() - start + 8;  // behind the header of mdat
  for (const RunView& run : runs) {
    out.patch_u32(data_offset_at[slot(run.kind)], static_cast<std::uint32_t>(first + media));
    media += run.bytes();
  }
  out.u32(static_cast<std::uint32_t>(8 + media));
  out.text("mdat");
}

}  // namespace recording::mp4
