#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// What an AV1 sequence header OBU says (AV1 Bitstream & Decoding Process Specification, 5.5).
struct Av1Sequence {
  std::uint8_t profile = 0, level = 0, tier = 0;  // level and tier of the first operating point
  std::uint8_t bit_depth = 8;
  bool monochrome = false, subsampling_x = true, subsampling_y = true;
  std::uint8_t chroma_sample_position = 0;
  std::uint32_t width = 0, height = 0;  // the largest; frames may be smaller
  bool colour_said = false, full_range = false;
  std::uint8_t colour_primaries = 2, transfer_characteristics = 2, matrix_coefficients = 2;
  std::uint32_t num_units_in_tick = 0, time_scale = 0;  // 0: frames are not said to last equally
};
Result<Av1Sequence> parse_av1_sequence(ByteView payload);  // of the OBU, without its header

// One open bitstream unit (5.3.1, 5.3.2) at the front of bytes.
struct Av1Obu {
  std::uint8_t type = 0;
  std::size_t header_size = 0;   // with obu_size
  std::size_t payload_size = 0;  // all the rest when the OBU does not say it
};
inline constexpr std::uint8_t kAv1SequenceHeader = 1, kAv1TemporalDelimiter = 2, kAv1Padding = 15;
// `size`: of all that there is, of which `front` holds the first bytes (10 are enough). Nothing
// where no OBU can begin, or it would reach past the end.
std::optional<Av1Obu> parse_av1_obu(ByteView front, std::uint64_t size);

// An AV1CodecConfigurationRecord taken apart (AV1 in ISOBMFF, 2.3.3).
struct Av1Config {
  Av1Sequence sequence;
  Bytes obus;  // the sequence header and what else key frames begin with, each with its size

  // What goes in front of a key frame that lacks a sequence header.
  [[nodiscard]] const Bytes& in_band() const { return obus; }
  // The record, with all that the sequence header says, said as it does; `source` filled in.
  [[nodiscard]] TrackConfig track() const;
};
// Without a sequence header OBU in the record: kNotFound, as it may be in the first key frame only.
Result<Av1Config> parse_av1_config(ByteView record);
// From a key frame's own sequence header OBU, whole.
Result<Av1Config> av1_config_of(ByteView sequence_obu);

}  // namespace recording::media
