#include "media/flac_config.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "media/bit_reader.hpp"

namespace recording::media {
namespace {

constexpr std::string_view kMagic = "fLaC";
constexpr std::size_t kStreamInfo = 34;

Error corrupt(const char* sentence) {
  return Error{Errc::kCorrupt, std::string("FLAC header: ") + sentence};
}

}  // namespace

Result<TrackConfig> parse_flac_header(ByteView header) {
  if (header.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), header.begin())) {
    header = header.subspan(kMagic.size());
  }
  if (header.size() != kStreamInfo) {  // a metadata block, perhaps others behind it
    ByteReader block(header);
    const std::uint8_t type = block.u8() & 0x7F;
    const std::uint32_t size = block.u24();
    header = block.bytes(size);
    if (!block.ok() || type != 0 || size != kStreamInfo) {
      return corrupt("STREAMINFO is not its first metadata block");
    }
  }
  BitReader in(header);
  const std::uint32_t least = in.bits(16);
  const std::uint32_t most = in.bits(16);
  in.skip(24 + 24);  // sizes of frames
  const std::uint32_t rate = in.bits(20);
  const std::uint32_t channels = in.bits(3) + 1;
  const std::uint32_t bits = in.bits(5) + 1;
  if (most < 16 || least > most) {
    return corrupt("block sizes that there cannot be");
  }
  if (rate == 0) {
    return corrupt("no sample rate");
  }
  TrackConfig track;
  track.codec = Codec::kFlac;
  track.timescale = rate;
  track.default_duration = least == most ? most : 0;
  track.source.sample_rate = rate;
  track.source.channels = static_cast<std::uint16_t>(channels);
  put_u16(track.decoder_setup, static_cast<std::uint16_t>(most));
  put_u8(track.decoder_setup, static_cast<std::uint8_t>(bits));
  put_u8(track.record, 0x80);  // the last metadata block, of type 0
  put_u24(track.record, kStreamInfo);
  put_bytes(track.record, header);
  return track;
}

std::uint8_t flac_bits_per_sample(ByteView record) {
  constexpr std::size_t kBlockHeader = 4;
  BitReader in(record);
  in.skip(8 * kBlockHeader + 16 + 16 + 24 + 24 + 20 + 3);
  return static_cast<std::uint8_t>(in.bits(5) + 1);
}

}  // namespace recording::media
