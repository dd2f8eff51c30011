#include "mp4/private_boxes.hpp"

#include <algorithm>
#include <array>

#include "mp4/crc32.hpp"

namespace recording::mp4 {
namespace {

// Of our own making (ISO/IEC 14496-12, 4.2: an extended type is a UUID).
constexpr std::array<std::uint8_t, 16> kExtendedType = {
    0x6E, 0x1F, 0x3C, 0x52, 0x8A, 0x47, 0x4D, 0x0B, 0x9E, 0x63, 0x2B, 0xD1, 0x70, 0xC5, 0x5A, 0x98};
constexpr std::uint32_t kVersion = 0x01000000;  // version 1, three bytes reserved

std::uint32_t last_u32(ByteView bytes) {
  ByteReader in(bytes.subspan(bytes.size() - 4));
  return in.u32();
}

}  // namespace

void write_private_box(Bytes& out, std::uint32_t kind, ByteView payload) {
  const std::size_t start = out.size();
  put_u32(out, static_cast<std::uint32_t>(kPrivateHeader + payload.size() + kPrivateTrailer));
  put_u32(out, fourcc("uuid"));
  put_bytes(out, kExtendedType);
  put_u32(out, kind);
  put_u32(out, kVersion);
  put_bytes(out, payload);
  put_u32(out, crc32(ByteView(out).subspan(start)));
}

std::uint32_t private_kind(ByteView bytes) {
  ByteReader in(bytes);
  in.skip(4);
  if (in.u32() != fourcc("uuid")) {
    return 0;
  }
  const ByteView type = in.bytes(kExtendedType.size());
  const std::uint32_t kind = in.u32();
  return in.ok() && std::equal(type.begin(), type.end(), kExtendedType.begin()) ? kind : 0;
}

std::optional<ByteView> private_payload(ByteView box) {
  if (box.size() < kPrivateHeader + kPrivateTrailer ||
      last_u32(box) != crc32(box.first(box.size() - kPrivateTrailer)) ||
      last_u32(box.first(kPrivateHeader)) != kVersion) {
    return std::nullopt;
  }
  return box.subspan(kPrivateHeader, box.size() - kPrivateHeader - kPrivateTrailer);
}

Result<ByteView> read_private_box(storage::File& file, std::uint64_t offset, std::uint64_t limit,
                                  std::uint32_t kind, Bytes& buffer) {
  const Error bad{Errc::kCorrupt, "a uuid box is not where it should be"};
  if (offset > limit || limit - offset < kPrivateHeader + kPrivateTrailer) {
    return bad;
  }
  // Most boxes, an index of a minute too, come with the first read.
  buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(limit - offset, 16384)));
  RECORDING_TRY(read_exactly(file, buffer, offset));
  const auto header = parse_box_header(buffer);
  if (private_kind(buffer) != kind || !header || header->size > limit - offset ||
      header->size > kMaxHeaderBox) {
    return bad;
  }
  const std::size_t have = buffer.size();
  buffer.resize(static_cast<std::size_t>(header->size));
  if (buffer.size() > have) {
    RECORDING_TRY(read_exactly(file, std::span(buffer).subspan(have), offset + have));
  }
  const auto payload = private_payload(buffer);
  if (!payload) {
    return bad;
  }
  return *payload;
}

Result<Epoch> read_epoch(storage::File& file, std::uint64_t offset, std::uint64_t limit,
                         Bytes& buffer) {
  auto payload = read_private_box(file, offset, limit, kEpochBox, buffer);
  return payload ? decode_epoch(payload.value()) : Result<Epoch>(std::move(payload).error());
}

}  // namespace recording::mp4
