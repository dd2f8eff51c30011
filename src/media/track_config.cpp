#include "media/track_config.hpp"

namespace recording::media {
namespace {

void put_text(Bytes& out, const std::string& text) {
  put_u8(out, static_cast<std::uint8_t>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

std::string read_text(ByteReader& in) {
  const ByteView text = in.bytes(in.u8());
  return {text.begin(), text.end()};
}

void put_block(Bytes& out, const Bytes& block) {
  put_u32(out, static_cast<std::uint32_t>(block.size()));
  put_bytes(out, block);
}

Bytes read_block(ByteReader& in) {
  const ByteView block = in.bytes(in.u32());
  return {block.begin(), block.end()};
}

}  // namespace

// What is added goes to the end: decode() ignores what it does not know.
Bytes encode(const TrackConfig& config) {
  const SourceParameters& source = config.source;
  Bytes out;
  put_u8(out, static_cast<std::uint8_t>(config.codec));
  put_u32(out, config.timescale);
  put_u32(out, config.default_duration);
  put_block(out, config.record);
  put_block(out, config.decoder_setup);
  put_text(out, source.profile);
  put_u32(out, static_cast<std::uint32_t>(source.level));
  put_u32(out, source.width);
  put_u32(out, source.height);
  put_u32(out, source.sar_num);
  put_u32(out, source.sar_den);
  put_text(out, source.pix_fmt);
  put_u8(out, source.bit_depth);
  put_u8(out, static_cast<std::uint8_t>(source.color_range));
  put_u8(out, source.color_primaries);
  put_u8(out, source.color_transfer);
  put_u8(out, source.color_space);
  put_u8(out, source.interlaced ? 1 : 0);
  put_u8(out, static_cast<std::uint8_t>(source.has_b_frames));
  put_u32(out, source.frame_rate_milli);
  put_u32(out, source.sample_rate);
  put_u16(out, source.channels);
  return out;
}

bool decode(ByteView bytes, TrackConfig& config) {
  ByteReader in(bytes);
  SourceParameters& source = config.source;
  config.codec = static_cast<Codec>(in.u8());
  config.timescale = in.u32();
  config.default_duration = in.u32();
  config.record = read_block(in);
  config.decoder_setup = read_block(in);
  source.profile = read_text(in);
  source.level = static_cast<std::int32_t>(in.u32());
  source.width = in.u32();
  source.height = in.u32();
  source.sar_num = in.u32();
  source.sar_den = in.u32();
  source.pix_fmt = read_text(in);
  source.bit_depth = in.u8();
  source.color_range = static_cast<ColorRange>(in.u8());
  source.color_primaries = in.u8();
  source.color_transfer = in.u8();
  source.color_space = in.u8();
  source.interlaced = in.u8() != 0;
  source.has_b_frames = static_cast<std::int8_t>(in.u8());
  source.frame_rate_milli = in.u32();
  source.sample_rate = in.u32();
  source.channels = in.u16();
  return in.ok() && config.timescale != 0 && is_codec(config.codec);
}

}  // namespace recording::media
