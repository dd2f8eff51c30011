// Sequence parameter sets: ITU-T H.264, 7.3.2.1.1 and E.1.1.
#include <optional>
#include <string>
#include <utility>

#include "media/avc_config.hpp"
#include "media/bit_reader.hpp"
#include "media/nal.hpp"
#include "media/video_facts.hpp"

namespace recording::media {
namespace {

constexpr std::uint32_t kMaxSpsId = 31;
constexpr std::uint32_t kMaxPpsId = 255;
constexpr std::size_t kMaxNal = 0xFFFF;  // a record has 16 bits for its size
enum NalType : std::uint8_t { kNalSps = 7, kNalPps = 8, kNalSpsExtension = 13, kNalSubsetSps = 15 };

Error corrupt(std::string sentence) {
  return Error{Errc::kCorrupt, "H.264 SPS: " + std::move(sentence)};
}

// 7.3.2.1.1: the profiles whose SPS says its chroma format and bit depth
bool has_chroma_fields(std::uint8_t profile) {
  switch (profile) {
    case 100:
    case 110:
    case 122:
    case 244:
    case 44:
    case 83:
    case 86:
    case 118:
    case 128:
    case 138:
    case 139:
    case 134:
    case 135:
      return true;
    default:
      return false;
  }
}

// 7.3.2.1.1.1: read only to get past it
void skip_scaling_list(BitReader& in, int size) {
  std::int64_t last = 8;
  std::int64_t next = 8;
  for (int i = 0; i < size && in.ok(); ++i) {
    if (next != 0) {
      next = (last + in.se()) & 0xFF;
    }
    last = next == 0 ? last : next;
  }
}

// What later fields depend on.
struct Geometry {
  bool separate_colour_planes = false;
  bool frame_mbs_only = true;
};

Status parse_chroma_fields(BitReader& in, AvcSps& sps, Geometry& geometry) {
  const std::uint32_t chroma_format_idc = in.ue();
  if (chroma_format_idc > 3) {
    return corrupt("chroma_format_idc is not 0 to 3");
  }
  sps.chroma_format_idc = static_cast<std::uint8_t>(chroma_format_idc);
  if (chroma_format_idc == 3) {
    geometry.separate_colour_planes = in.flag();
  }
  const std::uint32_t luma = in.ue();
  const std::uint32_t chroma = in.ue();
  if (luma > 6 || chroma > 6) {
    return corrupt("bit depth is not 8 to 14");
  }
  sps.bit_depth_luma = static_cast<std::uint8_t>(8 + luma);
  sps.bit_depth_chroma = static_cast<std::uint8_t>(8 + chroma);
  in.skip(1);       // qpprime_y_zero_transform_bypass_flag
  if (in.flag()) {  // seq_scaling_matrix_present_flag
    for (int i = 0; i < (chroma_format_idc == 3 ? 12 : 8) && in.ok(); ++i) {
      if (in.flag()) {
        skip_scaling_list(in, i < 6 ? 16 : 64);
      }
    }
  }
  return ok();
}

Status parse_picture_order_count(BitReader& in, AvcSps& sps) {
  const std::uint32_t type = in.ue();  // pic_order_cnt_type
  if (type > 2) {
    return corrupt("pic_order_cnt_type is not 0 to 2");
  }
  if (type == 0) {
    (void)in.ue();  // log2_max_pic_order_cnt_lsb_minus4
  } else if (type == 1) {
    in.skip(1);                            // delta_pic_order_always_zero_flag
    (void)in.se();                         // offset_for_non_ref_pic
    (void)in.se();                         // offset_for_top_to_bottom_field
    const std::uint32_t frames = in.ue();  // num_ref_frames_in_pic_order_cnt_cycle
    if (frames > 255) {
      return corrupt("num_ref_frames_in_pic_order_cnt_cycle is not 0 to 255");
    }
    for (std::uint32_t i = 0; i < frames && in.ok(); ++i) {
      (void)in.se();  // offset_for_ref_frame
    }
  }
  // 8.2.1.3 with type 2, and A.2.1 in Baseline, output order is decoding order
  constexpr std::uint8_t kBaseline = 66;
  if (type == 2 || sps.profile == kBaseline) {
    sps.reorder_frames = 0;
  }
  return ok();
}

// frame_cropping counts in units of table 6-1 (7.4.2.1.1, equations 7-19 to 7-22).
Status parse_size(BitReader& in, AvcSps& sps, Geometry& geometry) {
  const std::uint64_t width_in_mbs = std::uint64_t{in.ue()} + 1;
  const std::uint64_t height_in_map_units = std::uint64_t{in.ue()} + 1;
  geometry.frame_mbs_only = in.flag();
  if (!geometry.frame_mbs_only) {
    in.skip(1);  // mb_adaptive_frame_field_flag
  }
  sps.frame_mbs_only = geometry.frame_mbs_only;
  in.skip(1);  // direct_8x8_inference_flag
  const std::uint64_t fields = geometry.frame_mbs_only ? 1 : 2;
  const std::uint64_t coded_width = width_in_mbs * 16;
  const std::uint64_t coded_height = height_in_map_units * 16 * fields;
  std::uint64_t crop_width = 0;
  std::uint64_t crop_height = 0;
  if (in.flag()) {  // frame_cropping_flag
    const int format = geometry.separate_colour_planes ? 0 : sps.chroma_format_idc;
    const std::uint64_t unit_x = format == 1 || format == 2 ? 2 : 1;
    const std::uint64_t unit_y = (format == 1 ? 2 : 1) * fields;
    crop_width = unit_x * in.ue();
    crop_width += unit_x * in.ue();
    crop_height = unit_y * in.ue();
    crop_height += unit_y * in.ue();
  }
  if (!in.ok()) {
    return corrupt("ends too early");
  }
  if (coded_width > kMaxPictureSide || coded_height > kMaxPictureSide) {
    return corrupt(too_large(coded_width, coded_height));
  }
  if (crop_width >= coded_width || crop_height >= coded_height) {
    return corrupt("cropping leaves no picture");
  }
  sps.width = static_cast<std::uint32_t>(coded_width - crop_width);
  sps.height = static_cast<std::uint32_t>(coded_height - crop_height);
  return ok();
}

// E.1.2
void skip_hrd(BitReader& in) {
  const std::uint32_t count = in.ue();  // cpb_cnt_minus1
  in.skip(4 + 4);                       // bit_rate_scale, cpb_size_scale
  for (std::uint32_t i = 0; i <= count && in.ok(); ++i) {
    (void)in.ue();  // bit_rate_value_minus1
    (void)in.ue();  // cpb_size_value_minus1
    in.skip(1);     // cbr_flag
  }
  in.skip(4 * 5);  // lengths
}

// What E.1.1 has behind the timing information. Encoders cut it short: then it says nothing.
void parse_reordering(BitReader in, bool timing, AvcSps& sps) {
  if (timing) {
    in.skip(1);  // fixed_frame_rate_flag
  }
  const bool nal_hrd = in.flag();
  if (nal_hrd) {
    skip_hrd(in);
  }
  const bool vcl_hrd = in.flag();
  if (vcl_hrd) {
    skip_hrd(in);
  }
  if (nal_hrd || vcl_hrd) {
    in.skip(1);  // low_delay_hrd_flag
  }
  in.skip(1);        // pic_struct_present_flag
  if (!in.flag()) {  // bitstream_restriction_flag
    return;
  }
  in.skip(1);  // motion_vectors_over_pic_boundaries_flag
  for (int i = 0; i < 4; ++i) {
    (void)in.ue();  // bytes and bits of a picture, lengths of motion vectors
  }
  const std::uint32_t frames = in.ue();  // max_num_reorder_frames
  if (in.ok() && frames <= 16) {
    sps.reorder_frames = static_cast<std::int8_t>(frames);
  }
}

// E.1.1
void parse_vui(BitReader& in, AvcSps& sps) {
  read_vui_signal(in, sps);
  const bool timing = in.flag();  // timing_info_present_flag
  if (timing) {
    sps.num_units_in_tick = in.bits(32);
    sps.time_scale = in.bits(32);
  }
  parse_reordering(in, timing, sps);
}

}  // namespace

Result<AvcSps> parse_avc_sps(ByteView nal) {
  if (nal.empty() || (nal[0] & 0x1F) != kNalSps) {
    return corrupt("not a sequence parameter set");
  }
  const Bytes rbsp = without_emulation_prevention(nal.subspan(1));
  BitReader in(rbsp);
  AvcSps sps;
  Geometry geometry;
  sps.profile = in.u8();
  sps.constraints = in.u8();
  sps.level = in.u8();
  sps.id = in.ue();
  if (sps.id > kMaxSpsId) {
    return corrupt("seq_parameter_set_id is not 0 to 31");
  }
  if (has_chroma_fields(sps.profile)) {
    RECORDING_TRY(parse_chroma_fields(in, sps, geometry));
  }
  (void)in.ue();  // log2_max_frame_num_minus4
  RECORDING_TRY(parse_picture_order_count(in, sps));
  (void)in.ue();  // max_num_ref_frames
  in.skip(1);     // gaps_in_frame_num_value_allowed_flag
  RECORDING_TRY(parse_size(in, sps, geometry));
  if (in.flag()) {  // vui_parameters_present_flag
    parse_vui(in, sps);
  }
  if (!in.ok()) {
    return corrupt("ends too early");
  }
  return sps;
}

// Ids are in the first few bytes.
constexpr std::size_t kIdBytes = 16;

std::optional<ParameterSet> avc_parameter_set(ByteView nal) {
  if (nal.empty() || nal.size() > kMaxNal) {
    return std::nullopt;
  }
  const std::uint8_t type = nal[0] & 0x1F;
  const Bytes head = without_emulation_prevention(nal.subspan(1), kIdBytes);
  BitReader in(head);
  ParameterSet set;
  switch (type) {
    case kNalSps:
    case kNalSubsetSps:
      set.order = type == kNalSps ? kAvcSps : kAvcSubsetSps;
      in.skip(24);  // profile, constraints, level
      break;
    case kNalSpsExtension:
      set.order = kAvcSpsExtension;
      break;
    case kNalPps:
      set.order = kAvcPps;
      break;
    default:
      return std::nullopt;
  }
  set.id = in.ue();
  if (!in.ok() || set.id > (type == kNalPps ? kMaxPpsId : kMaxSpsId)) {
    return std::nullopt;
  }
  set.nal.assign(nal.begin(), nal.end());
  return set;
}

std::optional<std::uint32_t> sps_of_pps(ByteView pps) {
  const Bytes head = without_emulation_prevention(pps.subspan(1), kIdBytes);
  BitReader in(head);
  (void)in.ue();  // pic_parameter_set_id
  const std::uint32_t id = in.ue();
  return in.ok() ? std::optional(id) : std::nullopt;
}

}  // namespace recording::media
