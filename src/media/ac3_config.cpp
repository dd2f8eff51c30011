#include "media/ac3_config.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "media/bit_reader.hpp"

namespace recording::media {
namespace {

constexpr std::uint32_t kSyncWord = 0x0B77;
constexpr std::array<std::uint32_t, 3> kRates{48000, 44100, 32000};  // table 4.1, fscod
constexpr std::uint32_t kBlock = 256;                                // samples

// Table 4.3, acmod: full-bandwidth channels
constexpr std::array<std::uint16_t, 8> kChannels{2, 1, 2, 3, 3, 4, 4, 5};

Error corrupt(std::string sentence) {
  return Error{Errc::kCorrupt, "AC-3: " + std::move(sentence)};
}

TrackConfig track_of(Codec codec, std::uint32_t rate, std::uint16_t channels,
                     std::uint32_t duration) {
  TrackConfig track;
  track.codec = codec;
  track.timescale = rate;
  track.source.sample_rate = rate;
  track.source.channels = channels;
  track.default_duration = duration;
  return track;
}

// E.1.3.1: one frame of E-AC-3, as far as dec3 wants to know it
struct Frame {
  std::uint32_t type = 0, substream = 0, size = 0, fscod = 0, rate = 0, blocks = 6;
  std::uint32_t acmod = 0, bsid = 0, channel_map = 0;
  bool lfe = false;
};

Result<Frame> read_frame(ByteView bytes) {
  BitReader in(bytes);
  Frame frame;
  if (in.bits(16) != kSyncWord) {
    return corrupt("no sync word");
  }
  frame.type = in.bits(2);
  frame.substream = in.bits(3);
  frame.size = 2 * (in.bits(11) + 1);
  frame.fscod = in.bits(2);
  const std::uint32_t low = in.bits(2);  // fscod2 or numblkscod
  if (frame.fscod == 3 && low == 3) {
    return corrupt("a reserved sample rate");
  }
  static constexpr std::array<std::uint32_t, 4> kBlocks{1, 2, 3, 6};
  frame.rate = frame.fscod == 3 ? kRates[low] / 2 : kRates[frame.fscod];
  frame.blocks = frame.fscod == 3 ? 6 : kBlocks[low];
  frame.acmod = in.bits(3);
  frame.lfe = in.flag();
  frame.bsid = in.bits(5);
  if (frame.bsid < 11 || frame.bsid > 16 || frame.type == 3) {
    return corrupt("not a frame of E-AC-3");
  }
  for (int program = 0; program < (frame.acmod == 0 ? 2 : 1); ++program) {
    in.skip(5);                    // dialnorm
    in.skip(in.flag() ? 8U : 0U);  // compr
  }
  if (frame.type == 1 && in.flag()) {  // chanmape
    frame.channel_map = in.bits(16);
  }
  if (!in.ok()) {
    return corrupt("a frame ends in its header");
  }
  return frame;
}

// Table E.1.4 (chanmap) and annex F.6.2.12 (chan_loc): what a dependent substream adds.
struct Extension {
  std::uint16_t map_bit;  // of chanmap, the first one is the most significant
  std::uint16_t location;
  std::uint16_t channels;
};
constexpr std::array<Extension, 9> kExtensions{{{1U << 10, 1U << 0, 2},   // Lc, Rc
                                                {1U << 9, 1U << 1, 2},    // Lrs, Rrs
                                                {1U << 8, 1U << 2, 1},    // Cs
                                                {1U << 7, 1U << 3, 1},    // Ts
                                                {1U << 6, 1U << 4, 2},    // Lsd, Rsd
                                                {1U << 5, 1U << 5, 2},    // Lw, Rw
                                                {1U << 4, 1U << 6, 2},    // Lvh, Rvh
                                                {1U << 3, 1U << 7, 1},    // Cvh
                                                {1U << 1, 1U << 8, 1}}};  // LFE2

// One program of an access unit: an independent substream and those that depend on it.
struct Program {
  Frame frame;
  std::uint32_t dependents = 0;
  std::uint32_t locations = 0;

  [[nodiscard]] std::uint16_t channels() const {
    auto count = static_cast<std::uint16_t>(kChannels[frame.acmod] + (frame.lfe ? 1 : 0));
    for (const Extension& extension : kExtensions) {
      if ((locations & extension.location) != 0) {
        count = static_cast<std::uint16_t>(count + extension.channels);
      }
    }
    return count;
  }
};

// EC3SpecificBox, F.6
Bytes dec3(const std::vector<Program>& programs, std::uint64_t kbps) {
  Bytes out;
  put_u16(out, static_cast<std::uint16_t>(std::min<std::uint64_t>(kbps, 0x1FFF) << 3 |
                                          (programs.size() - 1)));
  for (const Program& program : programs) {
    const Frame& frame = program.frame;
    put_u16(out, static_cast<std::uint16_t>(frame.fscod << 14 | frame.bsid << 9));  // asvc, bsmod 0
    // acmod and lfeon are the last bits of the second byte of three
    out.back() = static_cast<std::uint8_t>(out.back() | frame.acmod << 1 | (frame.lfe ? 1 : 0));
    put_u8(out, static_cast<std::uint8_t>(program.dependents << 1 | program.locations >> 8));
    if (program.dependents > 0) {
      put_u8(out, static_cast<std::uint8_t>(program.locations));
    }
  }
  return out;
}

}  // namespace

Result<TrackConfig> parse_ac3_frame(ByteView front) {
  BitReader in(front);
  const std::uint32_t sync = in.bits(16);
  in.skip(16);  // crc1
  const std::uint32_t fscod = in.bits(2);
  const std::uint32_t frmsizecod = in.bits(6);
  const std::uint32_t bsid = in.bits(5);
  const std::uint32_t bsmod = in.bits(3);
  const std::uint32_t acmod = in.bits(3);
  in.skip((acmod & 1) != 0 && acmod != 1 ? 2U : 0U);  // cmixlev
  in.skip((acmod & 4) != 0 ? 2U : 0U);                // surmixlev
  in.skip(acmod == 2 ? 2U : 0U);                      // dsurmod
  const bool lfe = in.flag();
  if (!in.ok() || sync != kSyncWord) {
    return corrupt("no frame");
  }
  if (bsid > 10 || fscod == 3 || frmsizecod > 37) {  // 9 and 10: half and quarter rates
    return corrupt("not a frame of AC-3");
  }
  const std::uint32_t rate = kRates[fscod] >> (bsid > 8 ? bsid - 8 : 0);
  TrackConfig track = track_of(
      Codec::kAc3, rate, static_cast<std::uint16_t>(kChannels[acmod] + (lfe ? 1 : 0)), 6 * kBlock);
  // AC3SpecificBox, F.4; bit_rate_code counts pairs of frmsizecod
  put_u24(track.record, fscod << 22 | bsid << 17 | bsmod << 14 | acmod << 11 |
                            (lfe ? 1U << 10 : 0U) | (frmsizecod >> 1) << 5);
  return track;
}

Result<TrackConfig> parse_eac3_access_unit(ByteView access_unit) {
  std::vector<Program> programs;
  std::uint32_t blocks = 0;  // of the first program; an access unit should have six
  std::uint64_t bytes = 0;
  while (!access_unit.empty()) {
    auto read = read_frame(access_unit);
    if (!read) {
      if (programs.empty()) {
        return std::move(read).error();
      }
      break;
    }
    const Frame& frame = read.value();
    const bool dependent = frame.type == 1;
    if (programs.empty() && dependent) {
      return corrupt("a dependent substream comes first");
    }
    if (!dependent && frame.substream == 0) {
      blocks += frame.blocks;
    }
    if (dependent) {
      Program& program = programs.back();
      program.dependents = std::min(program.dependents + 1, 8U);
      for (const Extension& extension : kExtensions) {
        program.locations |= (frame.channel_map & extension.map_bit) != 0 ? extension.location : 0U;
      }
    } else if (frame.substream == programs.size() && programs.size() < 8) {
      programs.push_back({frame, 0, 0});
    }
    bytes += frame.size;
    access_unit = access_unit.subspan(std::min<std::size_t>(frame.size, access_unit.size()));
  }
  if (programs.empty()) {
    return corrupt("an access unit without its first substream");
  }
  const Program& first = programs.front();
  const std::uint32_t duration = blocks * kBlock;
  TrackConfig track = track_of(Codec::kEac3, first.frame.rate, first.channels(), duration);
  track.record = dec3(programs, bytes * 8 * first.frame.rate / duration / 1000);
  return track;
}

}  // namespace recording::media
