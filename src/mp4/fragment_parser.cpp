#include <algorithm>
#include <limits>

#include "mp4/box_reader.hpp"
#include "mp4/box_writer.hpp"
#include "mp4/fragment_flags.hpp"
#include "mp4/fragment_header.hpp"
#include "mp4/movie_boxes.hpp"

namespace recording::mp4 {
namespace {

using media::TrackKind;
using Run = ParsedFragment::Run;

Error bad(const char* what) { return Error{Errc::kCorrupt, std::string("moof: ") + what}; }

struct Traf {
  Run run;
  std::int64_t dts = 0;
  std::uint32_t default_duration = 0;
  std::uint32_t data_offset = 0;
  std::uint64_t bytes = 0;
};

Status parse_tfhd(ByteView body, const PerTrack<std::uint32_t>& trex_duration, Traf& traf) {
  ByteReader in(body);
  const std::uint32_t flags = in.u32();
  const std::uint32_t id = in.u32();
  const auto kind = std::find_if(kTrackOrder.begin(), kTrackOrder.end(),
                                 [&](TrackKind k) { return track_id(k) == id; });
  if (!in.ok() || kind == kTrackOrder.end() ||
      (flags & ~kTfhdDefaultDuration) != kTfhdDefaultBaseIsMoof) {
    return bad("tfhd");
  }
  traf.run.kind = *kind;
  traf.default_duration =
      (flags & kTfhdDefaultDuration) != 0 ? in.u32() : trex_duration[slot(*kind)];
  return in.ok() && in.left() == 0 ? ok() : bad("tfhd");
}

Status parse_tfdt(ByteView body, Traf& traf) {
  ByteReader in(body);
  const std::uint32_t version = in.u32();
  const std::uint64_t dts = version == 0x01000000 ? in.u64() : in.u32();
  if (!in.ok() || in.left() != 0 || (version & ~0x01000000U) != 0 ||
      dts > static_cast<std::uint64_t>(kMaxDts)) {
    return bad("tfdt");
  }
  traf.dts = static_cast<std::int64_t>(dts);
  return ok();
}

Status parse_trun(ByteView body, Traf& traf) {
  ByteReader in(body);
  const std::uint32_t flags = in.u32();
  const std::uint32_t count = in.u32();
  traf.data_offset = in.u32();
  constexpr std::uint32_t kAlways = kTrunDataOffset | kTrunSize;
  constexpr std::uint32_t kKnown =
      kAlways | kTrunFirstFlags | kTrunDuration | kTrunFlags | kTrunCts;
  if (!in.ok() || (flags & ~kKnown) != 0 || (flags & kAlways) != kAlways || count == 0 ||
      count > kMaxRunSamples || count > in.left() / 4) {
    return bad("trun");
  }
  const std::uint32_t usual = default_flags(traf.run.kind);
  std::uint32_t first_flags = (flags & kTrunFirstFlags) != 0 ? in.u32() : usual;
  std::int64_t dts = traf.dts;
  traf.run.samples.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t duration = (flags & kTrunDuration) != 0 ? in.u32() : traf.default_duration;
    Sample sample;
    sample.dts = dts;
    sample.size = in.u32();
    const std::uint32_t own = (flags & kTrunFlags) != 0 ? in.u32() : (i == 0 ? first_flags : usual);
    sample.key = (own & 0x00010000U) == 0;
    sample.cts = (flags & kTrunCts) != 0 ? in.u32() : 0;
    traf.run.samples.push_back(sample);
    traf.run.last_duration = duration;
    traf.bytes += sample.size;
    dts += duration;
  }
  return in.ok() && in.left() == 0 ? ok() : bad("trun");
}

Result<Traf> parse_traf(ByteView body, const PerTrack<std::uint32_t>& trex_duration) {
  Traf traf;
  BoxIterator boxes(body);
  if (!boxes.next() || boxes.type() != fourcc("tfhd")) {
    return bad("no tfhd");
  }
  RECORDING_TRY(parse_tfhd(boxes.body(), trex_duration, traf));
  if (!boxes.next() || boxes.type() != fourcc("tfdt")) {
    return bad("no tfdt");
  }
  RECORDING_TRY(parse_tfdt(boxes.body(), traf));
  if (!boxes.next() || boxes.type() != fourcc("trun")) {
    return bad("no trun");
  }
  RECORDING_TRY(parse_trun(boxes.body(), traf));
  if (boxes.next() || !boxes.ok()) {
    return bad("traf");
  }
  return traf;
}

}  // namespace

std::vector<RunView> ParsedFragment::views() const {
  std::vector<RunView> result;
  for (const Run& run : runs) {
    result.push_back({run.kind, run.samples, run.last_duration});
  }
  return result;
}

Result<ParsedFragment> parse_fragment_header(ByteView moof,
                                             const PerTrack<std::uint32_t>& trex_duration) {
  BoxIterator outer(moof);
  if (!outer.next() || outer.type() != fourcc("moof")) {
    return bad("not one");
  }
  ParsedFragment fragment;
  BoxIterator boxes(outer.body());
  if (!boxes.next() || boxes.type() != fourcc("mfhd") || boxes.body().size() != 8) {
    return bad("mfhd");
  }
  ByteReader mfhd(boxes.body());
  mfhd.skip(4);
  fragment.sequence = mfhd.u32();
  while (boxes.next()) {
    if (boxes.type() != fourcc("traf")) {
      return bad("a box that is not ours");
    }
    auto traf = parse_traf(boxes.body(), trex_duration);
    if (!traf) {
      return std::move(traf).error();
    }
    Traf& found = traf.value();
    if (found.data_offset != moof.size() + 8 + fragment.media_bytes ||
        (!fragment.runs.empty() && fragment.runs.back().kind >= found.run.kind)) {
      return bad("runs out of order");
    }
    fragment.media_bytes += found.bytes;
    fragment.runs.push_back(std::move(found.run));
  }
  if (!boxes.ok() || fragment.runs.empty() || fragment.media_bytes > kMaxMediaBytes) {
    return bad("sizes");
  }
  return fragment;
}

}  // namespace recording::mp4
