#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/parameter_sets.hpp"
#include "media/track_config.hpp"
#include "media/video_facts.hpp"

namespace recording::media {

// What a H.264 sequence parameter set says (ITU-T H.264, 7.3.2.1.1 and E.1.1).
struct AvcSps : VuiSignal {
  std::uint32_t id = 0;
  std::uint8_t profile = 0, constraints = 0, level = 0;
  std::uint8_t chroma_format_idc = 1, bit_depth_luma = 8, bit_depth_chroma = 8;
  std::uint32_t width = 0, height = 0;  // after cropping
  bool frame_mbs_only = true;           // false: pictures may be fields (interlaced)
  std::uint32_t num_units_in_tick = 0,
                time_scale = 0;  // 0: no timing info; fps = scale / (2 units)
  // max_num_reorder_frames, or 0 where the stream cannot have B-frames; -1: not said
  std::int8_t reorder_frames = -1;
};
Result<AvcSps> parse_avc_sps(ByteView nal);  // with its NAL header, emulation bytes still in

// Kinds of parameter sets, in the order in which they stand in a sample: H.264, 7.4.1.2.3.
enum AvcSetOrder : std::uint8_t { kAvcSps, kAvcSpsExtension, kAvcSubsetSps, kAvcPps };
// The set that a NAL unit is; nothing: it is none, or its id cannot be.
std::optional<ParameterSet> avc_parameter_set(ByteView nal);
// The id of the SPS that a PPS refers to (7.3.2.2); nothing: it cannot be read.
std::optional<std::uint32_t> sps_of_pps(ByteView pps);

// An AVCDecoderConfigurationRecord taken apart.
struct AvcConfig {
  AvcSps sps;                        // of the first SPS
  std::uint8_t nal_length_size = 4;  // as the encoder sends it: 1, 2 or 4 (3 is not allowed)
  ParameterSets sets;

  // A record with lengthSizeMinusOne = 3 and this SPS first; `timescale`, `default_duration` (from
  // VUI timing, else 0) and `source` filled in.
  [[nodiscard]] TrackConfig track() const;
};
// kCorrupt with a sentence where the record cannot be decoded.
Result<AvcConfig> parse_avc_config(ByteView record);

}  // namespace recording::media
