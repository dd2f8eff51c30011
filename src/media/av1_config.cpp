#include "media/av1_config.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "media/bit_reader.hpp"
#include "media/video_facts.hpp"

namespace recording::media {
namespace {

Error corrupt(std::string sentence) {
  return Error{Errc::kCorrupt, "AV1 configuration: " + std::move(sentence)};
}

// 4.10.3
std::uint64_t uvlc(BitReader& in) {
  unsigned zeros = 0;
  while (in.ok() && !in.flag()) {
    ++zeros;
  }
  return zeros < 32 ? (std::uint64_t{1} << zeros) - 1 + in.bits(zeros) : 0xFFFFFFFF;
}

// What operating points depend on.
struct Timing {
  bool decoder_model = false;
  unsigned delay_bits = 0;
  bool display_delay = false;
};

// 5.5.3, 5.5.4: timing_info() and decoder_model_info()
void read_timing(BitReader& in, Av1Sequence& sequence, Timing& timing) {
  const std::uint32_t units = in.bits(32);
  const std::uint32_t scale = in.bits(32);
  if (in.flag()) {  // equal_picture_interval
    const std::uint64_t ticks = uvlc(in) + 1;
    if (ticks * units <= 0xFFFFFFFF) {
      sequence.num_units_in_tick = static_cast<std::uint32_t>(ticks * units);
      sequence.time_scale = scale;
    }
  }
  timing.decoder_model = in.flag();
  if (timing.decoder_model) {
    timing.delay_bits = in.bits(5) + 1;
    in.skip(32 + 5 + 5);
  }
}

void read_operating_points(BitReader& in, Av1Sequence& sequence, const Timing& timing) {
  const std::uint32_t points = in.bits(5) + 1;
  for (std::uint32_t i = 0; i < points && in.ok(); ++i) {
    in.skip(12);  // operating_point_idc
    const auto level = static_cast<std::uint8_t>(in.bits(5));
    const auto tier = static_cast<std::uint8_t>(level > 7 ? in.bits(1) : 0);
    if (i == 0) {
      sequence.level = level;
      sequence.tier = tier;
    }
    if (timing.decoder_model && in.flag()) {
      in.skip(std::size_t{2} * timing.delay_bits + 1);
    }
    if (timing.display_delay && in.flag()) {
      in.skip(4);
    }
  }
}

void skip_coding_tools(BitReader& in) {
  in.skip(4);  // interintra, masked compound, warped motion, dual filter
  const bool order_hint = in.flag();
  in.skip(order_hint ? 2 : 0);                 // jnt_comp, ref_frame_mvs
  const bool screen = in.flag() || in.flag();  // seq_choose_…, seq_force_screen_content_tools
  if (screen && !in.flag()) {                  // seq_choose_integer_mv
    in.skip(1);
  }
  in.skip(order_hint ? 3 : 0);  // order_hint_bits_minus_1
}

// 5.5.2
void read_color_config(BitReader& in, Av1Sequence& sequence) {
  constexpr std::uint8_t kBt709 = 1, kSrgb = 13, kIdentity = 0;
  const bool high = in.flag();
  sequence.bit_depth = !high ? 8 : sequence.profile == 2 && in.flag() ? 12 : 10;
  sequence.monochrome = sequence.profile != 1 && in.flag();
  sequence.colour_said = in.flag();
  if (sequence.colour_said) {
    sequence.colour_primaries = in.u8();
    sequence.transfer_characteristics = in.u8();
    sequence.matrix_coefficients = in.u8();
  }
  if (sequence.monochrome) {
    sequence.full_range = in.flag();
    return;
  }
  if (sequence.colour_primaries == kBt709 && sequence.transfer_characteristics == kSrgb &&
      sequence.matrix_coefficients == kIdentity) {
    sequence.full_range = true;
    sequence.subsampling_x = sequence.subsampling_y = false;
    return;
  }
  sequence.full_range = in.flag();
  if (sequence.profile != 0) {
    const bool twelve = sequence.bit_depth == 12;
    sequence.subsampling_x = sequence.profile == 2 && (!twelve || in.flag());
    sequence.subsampling_y = twelve && sequence.subsampling_x && in.flag();
  }
  if (sequence.subsampling_x && sequence.subsampling_y) {
    sequence.chroma_sample_position = static_cast<std::uint8_t>(in.bits(2));
  }
}

SourceParameters source_of(const Av1Sequence& sequence) {
  static constexpr const char* kProfiles[] = {"Main", "High", "Professional"};
  constexpr std::uint8_t kMatrixRgb = 0;
  SourceParameters source;
  source.profile = kProfiles[sequence.profile];
  source.level = sequence.level;
  source.width = sequence.width;
  source.height = sequence.height;
  const std::uint8_t chroma = sequence.subsampling_y ? 1 : sequence.subsampling_x ? 2 : 3;
  source.pix_fmt =
      sequence.monochrome
          ? gray_format(sequence.bit_depth)
          : planar_format(chroma, sequence.bit_depth,
                          chroma == 3 && sequence.matrix_coefficients == kMatrixRgb, false);
  source.bit_depth = sequence.bit_depth;
  source.color_range = sequence.full_range ? ColorRange::kFull : ColorRange::kLimited;
  source.color_primaries = sequence.colour_primaries;
  source.color_transfer = sequence.transfer_characteristics;
  source.color_space = sequence.matrix_coefficients;
  source.has_b_frames = 0;  // a temporal unit shows one frame: nothing is put in order
  source.frame_rate_milli = plausible_frame_rate(sequence.num_units_in_tick, sequence.time_scale);
  return source;
}

void put_obu(Bytes& out, std::uint8_t type, ByteView payload) {
  put_u8(out, static_cast<std::uint8_t>(type << 3 | 2));  // obu_has_size_field
  std::size_t size = payload.size();                      // leb128(), 4.10.5
  for (; size > 0x7F; size >>= 7) {
    put_u8(out, static_cast<std::uint8_t>(0x80 | (size & 0x7F)));
  }
  put_u8(out, static_cast<std::uint8_t>(size));
  put_bytes(out, payload);
}

}  // namespace

Result<Av1Sequence> parse_av1_sequence(ByteView payload) {
  BitReader in(payload);
  Av1Sequence sequence;
  sequence.profile = static_cast<std::uint8_t>(in.bits(3));
  if (sequence.profile > 2) {
    return corrupt("profile " + std::to_string(sequence.profile) + " is not known");
  }
  in.skip(1);  // still_picture
  const bool reduced = in.flag();
  Timing timing;
  if (reduced) {
    sequence.level = static_cast<std::uint8_t>(in.bits(5));
  } else {
    if (in.flag()) {  // timing_info_present_flag
      read_timing(in, sequence, timing);
    }
    timing.display_delay = in.flag();
    read_operating_points(in, sequence, timing);
  }
  const unsigned width_bits = in.bits(4) + 1;
  const unsigned height_bits = in.bits(4) + 1;
  sequence.width = in.bits(width_bits) + 1;
  sequence.height = in.bits(height_bits) + 1;
  if (!reduced && in.flag()) {  // frame_id_numbers_present_flag
    in.skip(4 + 3);
  }
  in.skip(3);  // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  if (!reduced) {
    skip_coding_tools(in);
  }
  in.skip(3);  // enable_superres, enable_cdef, enable_restoration
  read_color_config(in, sequence);
  in.skip(sequence.monochrome ? 1 : 2);  // separate_uv_delta_q, film_grain_params_present
  if (!in.ok()) {
    return corrupt("the sequence header ends too early");
  }
  if (sequence.width > kMaxPictureSide || sequence.height > kMaxPictureSide) {
    return corrupt(too_large(sequence.width, sequence.height));
  }
  return sequence;
}

std::optional<Av1Obu> parse_av1_obu(ByteView front, std::uint64_t size) {
  ByteReader in(front.first(static_cast<std::size_t>(std::min<std::uint64_t>(front.size(), size))));
  const std::uint8_t first = in.u8();
  Av1Obu obu;
  obu.type = first >> 3 & 0xF;
  if (!in.ok() || (first & 0x81) != 0 || obu.type == 0) {  // forbidden and reserved bits
    return std::nullopt;
  }
  in.skip((first & 4) != 0 ? 1 : 0);  // obu_extension_header()
  if ((first & 2) == 0) {             // no obu_size: it takes all that is left
    obu.header_size = in.position();
    obu.payload_size = static_cast<std::size_t>(size - in.position());
    return in.ok() ? std::optional(obu) : std::nullopt;
  }
  std::uint64_t payload = 0;  // leb128(), 4.10.5
  for (unsigned shift = 0; shift < 56; shift += 7) {
    const std::uint8_t byte = in.u8();
    payload |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80) == 0) {
      break;
    }
  }
  obu.header_size = in.position();
  obu.payload_size = static_cast<std::size_t>(payload);
  const bool fits = in.ok() && payload <= size - in.position();
  return fits ? std::optional(obu) : std::nullopt;
}

TrackConfig Av1Config::track() const {
  TrackConfig track;
  track.codec = Codec::kAv1;
  track.timescale = kVideoTimescale;
  track.default_duration =
      plausible_frame_duration(sequence.num_units_in_tick, sequence.time_scale);
  track.source = source_of(sequence);
  Bytes& out = track.record;
  put_u8(out, 0x81);  // marker, version 1
  put_u8(out, static_cast<std::uint8_t>(sequence.profile << 5 | sequence.level));
  put_u8(out, static_cast<std::uint8_t>(
                  sequence.tier << 7 | (sequence.bit_depth > 8 ? 0x40 : 0) |
                  (sequence.bit_depth == 12 ? 0x20 : 0) | (sequence.monochrome ? 0x10 : 0) |
                  (sequence.subsampling_x ? 8 : 0) | (sequence.subsampling_y ? 4 : 0) |
                  sequence.chroma_sample_position));
  put_u8(out, 0);  // no initial_presentation_delay: how it was encoded is not known
  put_bytes(out, obus);
  return track;
}

Result<Av1Config> parse_av1_config(ByteView record) {
  ByteReader in(record);
  const std::uint8_t version = in.u8();
  in.skip(3);
  if (!in.ok()) {
    return corrupt("shorter than its fixed part");
  }
  if (version != 0x81) {
    return corrupt("version " + std::to_string(version & 0x7F) + " is not known");
  }
  Av1Config config;
  bool found = false;
  for (ByteView rest = record.subspan(4); !rest.empty();) {
    const auto obu = parse_av1_obu(rest, rest.size());
    if (!obu) {
      return corrupt("its OBUs do not add up");
    }
    const ByteView payload = rest.subspan(obu->header_size, obu->payload_size);
    rest = rest.subspan(obu->header_size + obu->payload_size);
    if (obu->type == kAv1SequenceHeader && !std::exchange(found, true)) {
      Result<Av1Sequence> sequence = parse_av1_sequence(payload);
      if (!sequence) {
        return std::move(sequence).error();
      }
      config.sequence = sequence.value();
    }
    put_obu(config.obus, obu->type, payload);
  }
  if (!found) {
    return Error{Errc::kNotFound, "AV1 configuration: no sequence header"};
  }
  return config;
}

Result<Av1Config> av1_config_of(ByteView sequence_obu) {
  Bytes record{0x81, 0, 0, 0};
  put_bytes(record, sequence_obu);
  return parse_av1_config(record);
}

}  // namespace recording::media
