#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/parameter_sets.hpp"
#include "media/track_config.hpp"
#include "media/video_facts.hpp"

namespace recording::media {

// What an H.265 sequence parameter set says (ITU-T H.265, 7.3.2.2.1 and E.2.1).
struct HevcSps : VuiSignal {
  std::uint32_t id = 0;
  // The first 88 bits of profile_tier_level(), as they are in the configuration record too, and
  // general_level_idc.
  std::array<std::uint8_t, 11> profile_tier{};
  std::uint8_t level = 0;
  std::uint8_t temporal_layers = 1;
  bool temporal_id_nested = false;
  std::uint8_t chroma_format_idc = 1, bit_depth_luma = 8, bit_depth_chroma = 8;
  std::uint32_t width = 0, height = 0;                  // inside the conformance window
  bool field_seq = false;                               // a picture is a field
  std::uint32_t num_units_in_tick = 0, time_scale = 0;  // 0: no timing info; fps = scale / units
  std::uint8_t reorder_pictures = 0;                    // of all temporal layers

  [[nodiscard]] std::uint8_t profile() const { return profile_tier[0] & 0x1F; }
};
Result<HevcSps> parse_hevc_sps(ByteView nal);  // with its NAL header, emulation bytes still in

// Kinds of parameter sets, in the order in which they stand in a sample.
enum HevcSetOrder : std::uint8_t { kHevcVps, kHevcSps, kHevcPps };
// The set of the base layer that a NAL unit is; nothing: it is none, or its id cannot be.
std::optional<ParameterSet> hevc_parameter_set(ByteView nal);

// An HEVCDecoderConfigurationRecord taken apart.
struct HevcConfig {
  HevcSps sps;                       // of the first SPS
  std::uint8_t nal_length_size = 4;  // as the encoder sends it: 1, 2 or 4
  std::uint16_t min_spatial_segmentation = 0;
  std::uint8_t parallelism = 0;
  ParameterSets sets;
  std::vector<Bytes> sei_nals;  // of the mastering display and the light level: in the record alone

  // The record with lengthSizeMinusOne = 3 and all that the SPS says, said as it does; `source`
  // filled in.
  [[nodiscard]] TrackConfig track() const;
};
// kCorrupt with a sentence where the record cannot be decoded.
Result<HevcConfig> parse_hevc_config(ByteView record);

}  // namespace recording::media
