#include "media/vp9_config.hpp"

#include <array>
#include <string>
#include <utility>

#include "media/bit_reader.hpp"
#include "media/video_facts.hpp"

namespace recording::media {
namespace {

constexpr std::uint8_t kSpaceRgb = 7;  // 7.2.2, color_space

Error corrupt(std::string sentence) { return Error{Errc::kCorrupt, "VP9: " + std::move(sentence)}; }

// 6.2.2 color_config()
Status read_color_config(BitReader& in, Vp9Frame& frame) {
  if (frame.profile >= 2) {
    frame.bit_depth = in.flag() ? 12 : 10;
  }
  const bool odd_profile = (frame.profile & 1) != 0;  // 4:2:0 is not for them
  frame.color_space = static_cast<std::uint8_t>(in.bits(3));
  if (frame.color_space == kSpaceRgb) {
    frame.full_range = true;
    frame.subsampling_x = frame.subsampling_y = false;
    in.skip(odd_profile ? 1 : 0);
    return odd_profile ? ok() : corrupt("RGB in a profile that has none");
  }
  frame.full_range = in.flag();
  if (odd_profile) {
    frame.subsampling_x = in.flag();
    frame.subsampling_y = in.flag();
    in.skip(1);
  }
  return ok();
}

// What matrix coefficients (ISO/IEC 23091-2) a color_space means; 2: not said.
std::uint8_t matrix_of(std::uint8_t color_space) {
  static constexpr std::array<std::uint8_t, 8> kMatrices{2, 5, 1, 6, 7, 9, 2, 0};
  return kMatrices[color_space];
}

SourceParameters source_of(const Vp9Frame& frame) {
  SourceParameters source;
  source.profile = "Profile " + std::to_string(frame.profile);
  source.width = frame.width;
  source.height = frame.height;
  const bool only_vertical = frame.subsampling_y && !frame.subsampling_x;
  const std::uint8_t chroma = frame.subsampling_y ? 1 : frame.subsampling_x ? 2 : 3;
  source.pix_fmt =
      only_vertical ? "yuv440p" + (frame.bit_depth == 8 ? std::string()
                                                        : std::to_string(frame.bit_depth) + "le")
                    : planar_format(chroma, frame.bit_depth, frame.color_space == kSpaceRgb, false);
  source.bit_depth = frame.bit_depth;
  source.color_range = frame.full_range ? ColorRange::kFull : ColorRange::kLimited;
  source.has_b_frames = 0;
  return source;
}

}  // namespace

Result<Vp9Frame> parse_vp9_key_frame(ByteView front) {
  BitReader in(front);
  Vp9Frame frame;
  if (in.bits(2) != 2) {  // frame_marker
    return corrupt("not a frame");
  }
  const std::uint32_t low = in.bits(1);
  frame.profile = static_cast<std::uint8_t>(in.bits(1) << 1 | low);
  in.skip(frame.profile == 3 ? 1 : 0);
  const bool again = in.flag();  // show_existing_frame
  const bool inter = in.flag();  // frame_type
  if (in.ok() && (again || inter)) {
    return Error{Errc::kNotFound, "VP9: not a key frame"};
  }
  in.skip(2);                     // show_frame, error_resilient_mode
  if (in.bits(24) != 0x498342) {  // frame_sync_code()
    return corrupt("a key frame without its sync code");
  }
  RECORDING_TRY(read_color_config(in, frame));
  frame.width = in.bits(16) + 1;
  frame.height = in.bits(16) + 1;
  if (!in.ok()) {
    return corrupt("a key frame ends in its header");
  }
  if (frame.width > kMaxPictureSide || frame.height > kMaxPictureSide) {
    return corrupt(too_large(frame.width, frame.height));
  }
  return frame;
}

TrackConfig Vp9Config::track(const Vp9Frame& frame) const {
  const std::uint8_t said = matrix_of(frame.color_space);
  const unsigned chroma = frame.subsampling_x && frame.subsampling_y ? chroma_position & 1U
                          : frame.subsampling_x                      ? 2U
                          : frame.subsampling_y                      ? 1U
                                                                     : 3U;
  TrackConfig track;
  track.codec = Codec::kVp9;
  track.timescale = kVideoTimescale;
  track.source = source_of(frame);
  if (level != 0) {
    track.source.level = level;
  }
  track.source.color_primaries = colour_primaries;
  track.source.color_transfer = transfer_characteristics;
  track.source.color_space = said != 2 ? said : matrix_coefficients;
  put_u8(track.record, frame.profile);
  put_u8(track.record, level);
  put_u8(track.record, static_cast<std::uint8_t>(static_cast<unsigned>(frame.bit_depth) << 4 |
                                                 chroma << 1 | (frame.full_range ? 1U : 0U)));
  put_u8(track.record, colour_primaries);
  put_u8(track.record, transfer_characteristics);
  put_u8(track.record, said != 2 ? said : matrix_coefficients);
  put_u16(track.record, 0);  // codecInitializationDataSize: none for VP9
  return track;
}

Result<Vp9Config> parse_vp9_config(ByteView record) {
  ByteReader in(record);
  // A bit depth of 0 there is none: so these are version 1 and flags 0 of the box.
  if (record.size() >= 12 && record[0] == 1 && record[1] == 0 && record[2] == 0 && record[3] == 0) {
    in.skip(4);
  }
  Vp9Config config;
  in.skip(1);  // profile: the frames say it
  config.level = in.u8();
  const std::uint8_t depth_and_chroma = in.u8();
  config.chroma_position = (depth_and_chroma >> 1 & 7) == 0 ? 0 : 1;
  config.colour_primaries = in.u8();
  config.transfer_characteristics = in.u8();
  config.matrix_coefficients = in.u8();
  if (!in.ok()) {
    return corrupt("the configuration record is too short");
  }
  return config;
}

}  // namespace recording::media
