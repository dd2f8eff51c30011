#include "media/avc_config.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "media/video_facts.hpp"

namespace recording::media {
namespace {

Error corrupt(std::string sentence) {
  return Error{Errc::kCorrupt, "AVC configuration: " + std::move(sentence)};
}

// `count` NALs, each behind a 16-bit length; empty ones are dropped. False: one is of no such kind.
bool read_sets(ByteReader& in, std::size_t count, std::initializer_list<AvcSetOrder> kinds,
               ParameterSets& sets) {
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const ByteView nal = in.bytes(in.u16());
    if (nal.empty()) {
      continue;
    }
    auto set = avc_parameter_set(nal);
    if (!set || std::find(kinds.begin(), kinds.end(), set->order) == kinds.end()) {
      return false;
    }
    sets.put(std::move(*set));
  }
  return true;
}

// ISO/IEC 14496-15, 5.3.3.1.2: every profile but Baseline, Main and Extended has the trailer. (The
// first editions name 100, 110, 122 and 144 only; their readers ignore it for the others.)
bool has_trailer(std::uint8_t profile) { return profile != 66 && profile != 77 && profile != 88; }

// The SPS extensions of the trailer. Encoders leave it away or send something else in its place,
// and all else it says is in the SPS: what does not read as a trailer is ignored.
void read_trailer(ByteReader& in, ParameterSets& sets) {
  in.skip(3);  // chroma_format, bit_depth_luma_minus8, bit_depth_chroma_minus8
  const std::size_t count = in.u8();
  ParameterSets with = sets;
  if (read_sets(in, count, {kAvcSpsExtension}, with) && in.ok()) {
    sets = std::move(with);
  }
}

// ITU-T H.264, A.2; constraint_set1_flag and constraint_set3_flag narrow some profiles down.
std::string profile_name(const AvcSps& sps) {
  const bool constrained = (sps.constraints & 0x40) != 0;
  const std::string intra = (sps.constraints & 0x10) != 0 ? " Intra" : "";
  switch (sps.profile) {
    case 44:
      return "CAVLC 4:4:4";
    case 66:
      return constrained ? "Constrained Baseline" : "Baseline";
    case 77:
      return "Main";
    case 88:
      return "Extended";
    case 100:
      return "High";
    case 110:
      return "High 10" + intra;
    case 118:
      return "Multiview High";
    case 122:
      return "High 4:2:2" + intra;
    case 128:
      return "Stereo High";
    case 244:
      return intra.empty() ? "High 4:4:4 Predictive" : "High 4:4:4 Intra";
    default:
      return std::to_string(sps.profile);
  }
}

SourceParameters source_of(const AvcSps& sps) {
  constexpr std::uint8_t kMatrixRgb = 0;  // H.264, table E-5
  SourceParameters source;
  source.profile = profile_name(sps);
  source.level = sps.level;
  source.width = sps.width;
  source.height = sps.height;
  source.pix_fmt = planar_format(
      sps.chroma_format_idc, sps.bit_depth_luma,
      sps.chroma_format_idc == 3 && sps.matrix_coefficients == kMatrixRgb, sps.full_range);
  source.bit_depth = sps.bit_depth_luma;
  say_signal(sps, source);
  source.interlaced = !sps.frame_mbs_only;
  source.has_b_frames = sps.reorder_frames;
  // E.2.1: a tick is the time of a field, so a frame lasts two
  source.frame_rate_milli =
      plausible_frame_rate(std::uint64_t{2} * sps.num_units_in_tick, sps.time_scale);
  return source;
}

// A count, then each behind a 16-bit length.
void put_sets(Bytes& out, std::uint8_t high_bits, std::span<const ParameterSet* const> sets) {
  put_u8(out, static_cast<std::uint8_t>(high_bits | sets.size()));
  for (const ParameterSet* set : sets) {
    put_u16(out, static_cast<std::uint16_t>(set->nal.size()));
    put_bytes(out, set->nal);
  }
}

// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1.2)
Bytes record_of(const AvcConfig& config) {
  constexpr std::size_t kMostSps = 31, kMostPps = 255;
  const AvcSps& sps = config.sps;
  std::vector<const ParameterSet*> by_kind[3];  // SPS and subset SPS, extensions, PPS
  for (const ParameterSet& set : config.sets.all()) {
    by_kind[set.order == kAvcPps ? 2 : set.order == kAvcSpsExtension ? 1 : 0].push_back(&set);
  }
  // Who reads only one reads the first.
  std::stable_partition(by_kind[0].begin(), by_kind[0].end(), [&sps](const ParameterSet* set) {
    return set->order == kAvcSps && set->id == sps.id;
  });
  by_kind[0].resize(std::min(by_kind[0].size(), kMostSps));
  by_kind[2].resize(std::min(by_kind[2].size(), kMostPps));
  Bytes out;
  put_u8(out, 1);  // configurationVersion
  put_u8(out, sps.profile);
  put_u8(out, sps.constraints);
  put_u8(out, sps.level);
  put_u8(out, 0xFC | 3);  // reserved, lengthSizeMinusOne
  put_sets(out, 0xE0, by_kind[0]);
  put_sets(out, 0, by_kind[2]);
  if (has_trailer(sps.profile)) {
    put_u8(out, static_cast<std::uint8_t>(0xFC | sps.chroma_format_idc));
    put_u8(out, static_cast<std::uint8_t>(0xF8 | (sps.bit_depth_luma - 8)));
    put_u8(out, static_cast<std::uint8_t>(0xF8 | (sps.bit_depth_chroma - 8)));
    put_sets(out, 0, by_kind[1]);
  }
  return out;
}

}  // namespace

TrackConfig AvcConfig::track() const {
  TrackConfig track;
  track.codec = Codec::kAvc;
  track.timescale = kVideoTimescale;
  track.default_duration =
      plausible_frame_duration(std::uint64_t{2} * sps.num_units_in_tick, sps.time_scale);
  track.record = record_of(*this);
  track.source = source_of(sps);
  return track;
}

Result<AvcConfig> parse_avc_config(ByteView record) {
  ByteReader in(record);
  AvcConfig config;
  const std::uint8_t version = in.u8();
  in.skip(3);  // profile, compatibility and level: the SPS says them
  const std::uint8_t length_size_minus_one = in.u8() & 3;
  const std::size_t sps_count = in.u8() & 0x1F;
  if (!in.ok()) {
    return corrupt("shorter than its fixed part");
  }
  if (version != 1) {
    return corrupt("version " + std::to_string(version) + " is not known");
  }
  if (length_size_minus_one == 2) {
    return corrupt("NAL lengths of 3 bytes are not allowed");
  }
  config.nal_length_size = static_cast<std::uint8_t>(length_size_minus_one + 1);
  bool known = read_sets(in, sps_count, {kAvcSps, kAvcSubsetSps}, config.sets);
  if (!in.ok()) {
    return corrupt("ends inside its sequence parameter sets");
  }
  if (known && config.sets.all().empty()) {
    return corrupt("no sequence parameter set");
  }
  const std::size_t before = config.sets.all().size();
  const std::size_t pps_count = in.left() > 0 ? in.u8() : 0;
  known = known && read_sets(in, pps_count, {kAvcPps}, config.sets);
  if (!in.ok()) {
    return corrupt("ends inside its picture parameter sets");
  }
  if (known && config.sets.all().size() == before) {
    return corrupt("no picture parameter set");
  }
  if (!known) {
    return corrupt("a NAL of another type stands for a parameter set, or its id cannot be");
  }
  Result<AvcSps> sps = parse_avc_sps(config.sets.all().front().nal);
  if (!sps) {
    return std::move(sps).error().wrap("AVC configuration");
  }
  config.sps = sps.value();
  if (has_trailer(config.sps.profile)) {
    read_trailer(in, config.sets);
  }
  return config;
}

}  // namespace recording::media
