#include "media/hevc_config.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "media/bit_reader.hpp"
#include "media/nal.hpp"
#include "media/video_facts.hpp"

namespace recording::media {
namespace {

// H.265, table 7-1
enum NalType : std::uint8_t {
  kNalVps = 32,
  kNalSps = 33,
  kNalPps = 34,
  kNalPrefixSei = 39,
  kNalSuffixSei = 40
};

constexpr std::size_t kMostSei = 8;

std::uint8_t nal_type(ByteView nal) { return nal.empty() ? 0 : nal[0] >> 1 & 0x3F; }

Error corrupt(std::string sentence) {
  return Error{Errc::kCorrupt, "HEVC configuration: " + std::move(sentence)};
}

// Of the SEI that a record may have, that which speaks of all pictures: the colour volume of the
// mastering display and the content light level (D.2.28, D.2.35). libx265 puts two KiB of its
// options there too, for which a file's head has no room.
bool is_declarative(ByteView nal) {
  constexpr std::uint8_t kMasteringDisplay = 137, kContentLight = 144;
  return nal.size() > 2 && (nal[2] == kMasteringDisplay || nal[2] == kContentLight);
}

// One of the record's arrays: NALs of one type, each behind a 16-bit length; empty ones and those
// of types that we do not know are dropped.
Status read_array(ByteReader& in, HevcConfig& config) {
  const std::uint8_t type = in.u8() & 0x3F;
  const std::size_t count = in.u16();
  const bool sei = type == kNalPrefixSei || type == kNalSuffixSei;
  const bool known = sei || (type >= kNalVps && type <= kNalPps);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const ByteView nal = in.bytes(in.u16());
    if (nal.empty() || !known) {
      continue;
    }
    if (nal_type(nal) != type) {
      return corrupt("a NAL of another type stands for a parameter set");
    }
    if (sei) {
      if (is_declarative(nal) && config.sei_nals.size() < kMostSei) {
        config.sei_nals.emplace_back(nal.begin(), nal.end());
      }
    } else if (auto set = hevc_parameter_set(nal)) {
      config.sets.put(std::move(*set));
    }
  }
  return in.ok() ? ok() : corrupt("ends inside its parameter sets");
}

// H.265, A.3, in ffprobe's words
std::string profile_name(std::uint8_t profile) {
  switch (profile) {
    case 1:
      return "Main";
    case 2:
      return "Main 10";
    case 3:
      return "Main Still Picture";
    case 4:
      return "Rext";
    default:
      return std::to_string(profile);
  }
}

SourceParameters source_of(const HevcSps& sps) {
  constexpr std::uint8_t kMatrixRgb = 0;  // table E-5
  SourceParameters source;
  source.profile = profile_name(sps.profile());
  source.level = sps.level;
  source.width = sps.width;
  source.height = sps.height;
  source.pix_fmt =
      sps.chroma_format_idc == 0
          ? gray_format(sps.bit_depth_luma)
          : planar_format(sps.chroma_format_idc, sps.bit_depth_luma,
                          sps.chroma_format_idc == 3 && sps.matrix_coefficients == kMatrixRgb,
                          sps.full_range);
  source.bit_depth = sps.bit_depth_luma;
  say_signal(sps, source);
  source.interlaced = sps.field_seq;
  source.has_b_frames = static_cast<std::int8_t>(sps.reorder_pictures);
  source.frame_rate_milli = plausible_frame_rate(sps.num_units_in_tick, sps.time_scale);
  return source;
}

// array_completeness 1: hvc1 says that the sets are here, and for each epoch they are.
void put_array(Bytes& out, std::uint8_t type, const std::vector<ByteView>& nals) {
  put_u8(out, static_cast<std::uint8_t>(0x80 | type));
  put_u16(out, static_cast<std::uint16_t>(nals.size()));
  for (const ByteView nal : nals) {
    put_u16(out, static_cast<std::uint16_t>(nal.size()));
    put_bytes(out, nal);
  }
}

// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1.2). avgFrameRate and constantFrameRate
// stay 0, unspecified: the samples' times say it.
Bytes record_of(const HevcConfig& config) {
  const HevcSps& sps = config.sps;
  Bytes out;
  put_u8(out, 1);  // configurationVersion
  put_bytes(out, sps.profile_tier);
  put_u8(out, sps.level);
  put_u16(out, static_cast<std::uint16_t>(0xF000 | config.min_spatial_segmentation));
  put_u8(out, static_cast<std::uint8_t>(0xFC | config.parallelism));
  put_u8(out, static_cast<std::uint8_t>(0xFC | sps.chroma_format_idc));
  put_u8(out, static_cast<std::uint8_t>(0xF8 | (sps.bit_depth_luma - 8)));
  put_u8(out, static_cast<std::uint8_t>(0xF8 | (sps.bit_depth_chroma - 8)));
  put_u16(out, 0);
  put_u8(out, static_cast<std::uint8_t>(sps.temporal_layers << 3 |
                                        (sps.temporal_id_nested ? 4 : 0) | 3));
  std::array<std::vector<ByteView>, 5> arrays;
  for (const ParameterSet& set : config.sets.all()) {
    std::vector<ByteView>& nals = arrays[set.order];
    // Who reads only one SPS reads the first.
    nals.insert(set.order == kHevcSps && set.id == sps.id ? nals.begin() : nals.end(), set.nal);
  }
  for (const Bytes& nal : config.sei_nals) {
    arrays[nal_type(nal) == kNalPrefixSei ? 3 : 4].push_back(nal);
  }
  put_u8(out, static_cast<std::uint8_t>(std::count_if(
                  arrays.begin(), arrays.end(), [](const auto& nals) { return !nals.empty(); })));
  constexpr std::array<std::uint8_t, 5> kTypes{kNalVps, kNalSps, kNalPps, kNalPrefixSei,
                                               kNalSuffixSei};
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (!arrays[i].empty()) {
      put_array(out, kTypes[i], arrays[i]);
    }
  }
  return out;
}

}  // namespace

std::optional<ParameterSet> hevc_parameter_set(ByteView nal) {
  constexpr std::size_t kMaxNal = 0xFFFF;  // a record has 16 bits for its size
  constexpr std::size_t kIdBytes = 16;     // it is in the first few bytes
  constexpr std::array<std::uint32_t, 3> kMaxId{15, 15, 63};
  const std::uint8_t type = nal_type(nal);
  const bool base_layer = nal.size() > 2 && (nal[0] & 1) == 0 && nal[1] >> 3 == 0;
  if (!base_layer || nal.size() > kMaxNal || type < kNalVps || type > kNalPps) {
    return std::nullopt;
  }
  ParameterSet set;
  set.order = static_cast<std::uint8_t>(type - kNalVps);
  if (type == kNalSps) {  // behind what only a whole reading finds the end of
    auto sps = parse_hevc_sps(nal);
    if (!sps) {
      return std::nullopt;
    }
    set.id = sps.value().id;
  } else {
    const Bytes head = without_emulation_prevention(nal.subspan(2), kIdBytes);
    BitReader in(head);
    set.id = type == kNalVps ? in.bits(4) : in.ue();
    if (!in.ok()) {
      return std::nullopt;
    }
  }
  if (set.id > kMaxId[set.order]) {
    return std::nullopt;
  }
  set.nal.assign(nal.begin(), nal.end());
  return set;
}

TrackConfig HevcConfig::track() const {
  TrackConfig track;
  track.codec = Codec::kHevc;
  track.timescale = kVideoTimescale;
  track.default_duration = plausible_frame_duration(sps.num_units_in_tick, sps.time_scale);
  track.record = record_of(*this);
  track.source = source_of(sps);
  return track;
}

Result<HevcConfig> parse_hevc_config(ByteView record) {
  ByteReader in(record);
  HevcConfig config;
  const std::uint8_t version = in.u8();
  in.skip(12);  // profile, tier and level: the SPS says them
  config.min_spatial_segmentation = in.u16() & 0x0FFF;
  config.parallelism = in.u8() & 3;
  in.skip(5);  // chroma format and bit depths, which the SPS says, and avgFrameRate
  const std::uint8_t length_size_minus_one = in.u8() & 3;
  const std::size_t arrays = in.u8();
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
  for (std::size_t i = 0; i < arrays; ++i) {
    RECORDING_TRY(read_array(in, config));
  }
  std::array<const ParameterSet*, 3> first{};
  for (const ParameterSet& set : config.sets.all()) {
    first[set.order] = first[set.order] == nullptr ? &set : first[set.order];
  }
  if (std::count(first.begin(), first.end(), nullptr) != 0) {
    return corrupt("not all three kinds of parameter sets are there, or they cannot be read");
  }
  Result<HevcSps> parsed = parse_hevc_sps(first[kHevcSps]->nal);
  if (!parsed) {
    return std::move(parsed).error().wrap("HEVC configuration");
  }
  config.sps = parsed.value();
  return config;
}

}  // namespace recording::media
