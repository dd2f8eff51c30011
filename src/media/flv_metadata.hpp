#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "media/frame_rate.hpp"

namespace recording::media {

// What an encoder declares of its stream with onMetaData (Adobe FLV 10.1, E.5), each only where it
// is said and can be true. Declared, not measured: encoders send what their settings are, or what
// they were yesterday.
struct FlvMetadata {
  std::optional<std::uint32_t> width, height;  // pixels
  std::optional<double> frame_rate;            // frames a second, as it was said: 29.97
  std::optional<std::uint32_t> video_codec_id, audio_codec_id;  // FLV numbers, or FourCC
  std::optional<std::int64_t> video_bps, audio_bps;
  std::optional<std::uint32_t> sample_rate;  // Hz
  std::optional<std::uint16_t> channels;
  std::optional<std::string> encoder;  // valid UTF-8, at most 128 bytes

  // What was said and left out, and why: "framerate is not a number". At most one a field.
  std::vector<std::string> rejected;
};

// The data message `message`: its name and values in AMF0. Nothing: it is no onMetaData, or its
// bytes end in the middle of a value before any field; what was whole before that counts. Reads at
// most 64 KiB of it, allocates for the fields alone.
std::optional<FlvMetadata> parse_metadata(ByteView message);

}  // namespace recording::media
