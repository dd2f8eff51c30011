#include "mp4/holes.hpp"

#include <algorithm>

#include "media/av1_config.hpp"
#include "mp4/box_reader.hpp"
#include "mp4/fragment_header.hpp"

namespace recording::mp4 {
namespace {

constexpr std::size_t kMdatHeader = 8;

constexpr std::uint64_t kSector = 512;

// Whether the zeros [from, to) in [begin, end) may be sectors that were never written: as far as
// they are inside, they begin and end with sectors, but for the few zeros that media have anyway.
// Padding of an encoder does not.
bool are_sectors(std::uint64_t from, std::uint64_t to, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t kLeast = 16;  // fewer zeros say nothing
  constexpr std::uint64_t kOwn = 8;     // a length of 4 bytes, and what is around it
  const std::uint64_t first = from == begin ? from : (from + kSector - 1) / kSector * kSector;
  const std::uint64_t next = std::min(first / kSector * kSector + kSector, end);
  return first - from <= kOwn && (to == end || to % kSector <= kOwn) && next <= to &&
         next - first >= kLeast;
}

// Whether a sector of [begin, end) seems never to have been written.
Result<bool> has_zero_sector(storage::File& file, std::uint64_t begin, std::uint64_t end) {
  Bytes buffer(64 * 1024);
  std::uint64_t zeros_from = begin;
  for (std::uint64_t at = begin; at < end;) {
    const std::span<std::uint8_t> piece = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(end - at, buffer.size())));
    RECORDING_TRY(read_exactly(file, piece, at));
    for (const std::uint8_t byte : piece) {
      if (byte != 0) {
        if (zeros_from < at && are_sectors(zeros_from, at, begin, end)) {
          return true;
        }
        zeros_from = at + 1;
      }
      ++at;
    }
  }
  return zeros_from < end && are_sectors(zeros_from, end, begin, end);
}

// Padding OBUs, with which encoders fill up a constant bit rate, are zeros; all else of AV1 is not.
Result<bool> has_zero_sector_of_av1(storage::File& file, std::uint64_t offset, const RunView& run) {
  constexpr std::size_t kFront = 10;
  FileWindow window(file);
  for (const Sample& sample : run.samples) {
    const std::uint64_t end = offset + sample.size;
    while (offset < end) {
      auto front = window.view(
          offset, static_cast<std::size_t>(std::min<std::uint64_t>(kFront, end - offset)));
      if (!front) {
        return std::move(front).error();
      }
      const auto obu = media::parse_av1_obu(front.value(), end - offset);
      const std::uint64_t next = obu ? offset + obu->header_size + obu->payload_size : end;
      if (!obu || obu->type != media::kAv1Padding) {
        auto zeros = has_zero_sector(file, offset, next);
        if (!zeros || zeros.value()) {
          return zeros;
        }
      }
      offset = next;
    }
  }
  return false;
}

// No frame of any audio codec begins with eight bytes of zero, however quiet it is: AC-3, E-AC-3,
// FLAC and MP3 begin with a sync word, the others with what they are coded as. (Opus may end in
// as many as it likes.)
Result<bool> has_zero_frame(storage::File& file, std::uint64_t offset, const RunView& run) {
  constexpr std::size_t kFront = 8;
  FileWindow window(file);
  for (const Sample& sample : run.samples) {
    if (sample.size >= kFront) {
      auto front = window.view(offset, kFront);
      if (!front) {
        return std::move(front).error();
      }
      if (std::all_of(front.value().begin(), front.value().end(), [](auto b) { return b == 0; })) {
        return true;
      }
    }
    offset += sample.size;
  }
  return false;
}

// H.264 and H.265 with emulation prevention never have three zero bytes in a row, and what the
// arithmetic coders of AV1 and VP9 write has hardly more, so a sector of them is a hole; broken NAL
// lengths alone are none, an encoder may have sent them.
Result<bool> has_hole(storage::File& file, std::uint64_t moof, std::uint64_t end,
                      const FileState& state) {
  FileWindow window(file);
  auto front = window.view(moof, 8);
  if (!front) {
    return std::move(front).error();
  }
  const auto header = parse_box_header(front.value());
  auto box = window.view(moof, header ? static_cast<std::size_t>(header->size) : 0);
  if (!box) {
    return std::move(box).error();
  }
  auto parsed = parse_fragment_header(box.value(), state.trex_durations());
  if (!parsed) {
    return std::move(parsed).error();
  }
  std::uint64_t at = moof + box.value().size() + kMdatHeader;
  for (const RunView& run : parsed.value().views()) {
    const std::uint64_t stop = std::min(at + run.bytes(), end);
    const auto& track = state.track(run.kind);
    const bool av1 = track && track->setup.config.codec == media::Codec::kAv1;
    auto hole = run.kind == media::TrackKind::kAudio ? has_zero_frame(file, at, run)
                : av1                                ? has_zero_sector_of_av1(file, at, run)
                                                     : has_zero_sector(file, at, stop);
    if (!hole || hole.value()) {
      return hole;
    }
    at = stop;
  }
  return false;
}

}  // namespace

Result<std::uint64_t> end_without_holes(storage::File& file, const Scan& scan,
                                        std::uint64_t intact) {
  const std::vector<FileState::FragmentPlace>& fragments = scan.state.recent_fragments();
  std::uint64_t end = scan.end;
  for (auto at = fragments.rbegin(); at != fragments.rend() && at->begin >= intact; ++at) {
    auto hole = has_hole(file, at->moof, end, scan.state);
    if (!hole) {
      return std::move(hole).error();
    }
    if (!hole.value()) {
      break;
    }
    end = at->begin;
  }
  return end;
}

}  // namespace recording::mp4
