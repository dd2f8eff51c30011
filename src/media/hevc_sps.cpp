// Sequence parameter sets: ITU-T H.265, 7.3.2.2.1 and E.2.1.
#include <algorithm>
#include <string>
#include <utility>

#include "media/bit_reader.hpp"
#include "media/hevc_config.hpp"
#include "media/nal.hpp"
#include "media/video_facts.hpp"

namespace recording::media {
namespace {

constexpr std::uint8_t kNalSps = 33;

Error corrupt(std::string sentence) {
  return Error{Errc::kCorrupt, "H.265 SPS: " + std::move(sentence)};
}

// 7.3.3 profile_tier_level(1, max_sub_layers - 1)
void parse_profile_tier_level(BitReader& in, std::uint32_t max_sub_layers_minus1, HevcSps& sps) {
  for (std::uint8_t& byte : sps.profile_tier) {
    byte = in.u8();
  }
  sps.level = in.u8();
  std::size_t sub_layer_bits = 0;
  for (std::uint32_t i = 0; i < max_sub_layers_minus1; ++i) {
    sub_layer_bits += in.flag() ? 88 : 0;  // sub_layer_profile_present_flag
    sub_layer_bits += in.flag() ? 8 : 0;   // sub_layer_level_present_flag
  }
  if (max_sub_layers_minus1 > 0) {
    in.skip(std::size_t{2} * (8 - max_sub_layers_minus1));
  }
  in.skip(sub_layer_bits);
}

// The conformance window counts in chroma samples (7.4.3.2.1, table 6-1).
Status parse_size(BitReader& in, HevcSps& sps) {
  const std::uint32_t chroma_format_idc = in.ue();
  if (chroma_format_idc > 3) {
    return corrupt("chroma_format_idc is not 0 to 3");
  }
  sps.chroma_format_idc = static_cast<std::uint8_t>(chroma_format_idc);
  if (chroma_format_idc == 3) {
    in.skip(1);  // separate_colour_plane_flag
  }
  const std::uint64_t width = in.ue();
  const std::uint64_t height = in.ue();
  std::uint64_t off_width = 0;
  std::uint64_t off_height = 0;
  if (in.flag()) {  // conformance_window_flag
    const std::uint64_t unit_x = chroma_format_idc == 1 || chroma_format_idc == 2 ? 2 : 1;
    const std::uint64_t unit_y = chroma_format_idc == 1 ? 2 : 1;
    off_width = unit_x * in.ue();
    off_width += unit_x * in.ue();
    off_height = unit_y * in.ue();
    off_height += unit_y * in.ue();
  }
  if (!in.ok()) {
    return corrupt("ends too early");
  }
  if (width > kMaxPictureSide || height > kMaxPictureSide) {
    return corrupt(too_large(width, height));
  }
  if (off_width >= width || off_height >= height) {
    return corrupt("the conformance window leaves no picture");
  }
  sps.width = static_cast<std::uint32_t>(width - off_width);
  sps.height = static_cast<std::uint32_t>(height - off_height);
  return ok();
}

// 7.3.4: read only to get past it
void skip_scaling_lists(BitReader& in) {
  for (unsigned size = 0; size < 4; ++size) {
    for (unsigned matrix = 0; matrix < 6 && in.ok(); matrix += size == 3 ? 3 : 1) {
      if (!in.flag()) {  // scaling_list_pred_mode_flag
        (void)in.ue();
        continue;
      }
      if (size > 1) {
        (void)in.se();  // scaling_list_dc_coef_minus8
      }
      for (unsigned i = 0; i < std::min(64U, 16U << (2 * size)) && in.ok(); ++i) {
        (void)in.se();
      }
    }
  }
}

// 7.3.7 st_ref_pic_set(). `pictures`: how many the set before has; then how many this one has.
Status skip_reference_set(BitReader& in, bool first, std::uint32_t& pictures) {
  constexpr std::uint32_t kMostPictures = 16;
  if (!first && in.flag()) {  // inter_ref_pic_set_prediction_flag
    in.skip(1);               // delta_rps_sign
    (void)in.ue();            // abs_delta_rps_minus1
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i <= pictures && in.ok(); ++i) {
      const bool used = in.flag();        // used_by_curr_pic_flag
      kept += used || in.flag() ? 1 : 0;  // use_delta_flag
    }
    pictures = kept;
  } else {
    const std::uint32_t negative = in.ue();
    const std::uint32_t positive = in.ue();
    if (negative > kMostPictures || positive > kMostPictures) {
      return corrupt("a reference picture set of more than 16 pictures");
    }
    pictures = negative + positive;
    for (std::uint32_t i = 0; i < pictures && in.ok(); ++i) {
      (void)in.ue();  // delta_poc_minus1
      in.skip(1);     // used_by_curr_pic_flag
    }
  }
  return pictures <= kMostPictures ? ok()
                                   : corrupt("a reference picture set of more than 16 pictures");
}

Status skip_references(BitReader& in, std::uint32_t poc_bits) {
  const std::uint32_t sets = in.ue();  // num_short_term_ref_pic_sets
  if (sets > 64) {
    return corrupt("num_short_term_ref_pic_sets is not 0 to 64");
  }
  std::uint32_t pictures = 0;
  for (std::uint32_t i = 0; i < sets && in.ok(); ++i) {
    RECORDING_TRY(skip_reference_set(in, i == 0, pictures));
  }
  if (in.flag()) {                        // long_term_ref_pics_present_flag
    const std::uint32_t count = in.ue();  // num_long_term_ref_pics_sps
    if (count > 32) {
      return corrupt("num_long_term_ref_pics_sps is not 0 to 32");
    }
    in.skip(std::size_t{count} * (poc_bits + 1));
  }
  return ok();
}

// All between the bit depths and the VUI.
Status skip_coding_tools(BitReader& in, std::uint32_t sub_layers_minus1, HevcSps& sps) {
  const std::uint32_t poc_bits_minus4 = in.ue();  // log2_max_pic_order_cnt_lsb_minus4
  if (poc_bits_minus4 > 12) {
    return corrupt("log2_max_pic_order_cnt_lsb_minus4 is not 0 to 12");
  }
  const std::uint32_t told = in.flag() ? sub_layers_minus1 + 1 : 1;
  for (std::uint32_t i = 0; i < told; ++i) {
    (void)in.ue();  // sps_max_dec_pic_buffering_minus1
    const std::uint32_t reordered = in.ue();
    if (reordered > 15) {
      return corrupt("sps_max_num_reorder_pics is not 0 to 15");
    }
    sps.reorder_pictures = static_cast<std::uint8_t>(reordered);
    (void)in.ue();  // sps_max_latency_increase_plus1
  }
  for (int i = 0; i < 6; ++i) {
    (void)in.ue();  // sizes of coding and transform blocks, and their hierarchy's depths
  }
  if (in.flag() && in.flag()) {  // scaling_list_enabled_flag, sps_scaling_list_data_present_flag
    skip_scaling_lists(in);
  }
  in.skip(2);       // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (in.flag()) {  // pcm_enabled_flag
    in.skip(8);
    (void)in.ue();
    (void)in.ue();
    in.skip(1);
  }
  RECORDING_TRY(skip_references(in, poc_bits_minus4 + 4));
  in.skip(2);  // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  return ok();
}

// E.2.1, as far as the timing information; nothing behind it concerns us.
void parse_vui(BitReader& in, HevcSps& sps) {
  read_vui_signal(in, sps);
  in.skip(1);  // neutral_chroma_indication_flag
  sps.field_seq = in.flag();
  in.skip(1);       // frame_field_info_present_flag
  if (in.flag()) {  // default_display_window_flag
    for (int i = 0; i < 4; ++i) {
      (void)in.ue();
    }
  }
  if (in.flag()) {  // vui_timing_info_present_flag
    sps.num_units_in_tick = in.bits(32);
    sps.time_scale = in.bits(32);
  }
}

}  // namespace

Result<HevcSps> parse_hevc_sps(ByteView nal) {
  if (nal.size() < 2 || (nal[0] >> 1 & 0x3F) != kNalSps) {
    return corrupt("not a sequence parameter set");
  }
  const Bytes rbsp = without_emulation_prevention(nal.subspan(2));
  BitReader in(rbsp);
  HevcSps sps;
  in.skip(4);  // sps_video_parameter_set_id
  const std::uint32_t sub_layers_minus1 = in.bits(3);
  if (sub_layers_minus1 > 6) {
    return corrupt("sps_max_sub_layers_minus1 is not 0 to 6");
  }
  sps.temporal_layers = static_cast<std::uint8_t>(sub_layers_minus1 + 1);
  sps.temporal_id_nested = in.flag();
  parse_profile_tier_level(in, sub_layers_minus1, sps);
  sps.id = in.ue();
  if (sps.id > 15) {
    return corrupt("sps_seq_parameter_set_id is not 0 to 15");
  }
  RECORDING_TRY(parse_size(in, sps));
  const std::uint32_t luma = in.ue();
  const std::uint32_t chroma = in.ue();
  if (luma > 7 || chroma > 7) {  // the configuration record has three bits for each
    return corrupt("bit depth is not 8 to 15");
  }
  sps.bit_depth_luma = static_cast<std::uint8_t>(8 + luma);
  sps.bit_depth_chroma = static_cast<std::uint8_t>(8 + chroma);
  RECORDING_TRY(skip_coding_tools(in, sub_layers_minus1, sps));
  if (in.flag()) {  // vui_parameters_present_flag
    parse_vui(in, sps);
  }
  if (!in.ok()) {
    return corrupt("ends too early");
  }
  return sps;
}

}  // namespace recording::media
