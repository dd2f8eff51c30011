#include "chunks.hpp"

#include <algorithm>

namespace rtmp_publisher {
namespace {

constexpr std::uint32_t kExtended = 0xFFFFFF;      // RTMP 1.0, section 5.3.1.3
constexpr std::uint32_t kControlChunkStream = 2;   // section 5.3.1.1
constexpr std::uint32_t kLargestReply = 1U << 20;  // a server's answers are a few hundred bytes

}  // namespace

void ChunkWriter::write(Bytes& out, const MessageHeader& header, ByteView body) {
  const bool extended = header.timestamp >= kExtended;
  out.push_back(static_cast<std::uint8_t>(header.chunk_stream));  // type 0
  put_be(out, extended ? kExtended : header.timestamp, 3);
  put_be(out, body.size(), 3);
  out.push_back(static_cast<std::uint8_t>(header.type));
  for (int shift = 0; shift < 32; shift += 8) {  // the one little-endian field
    out.push_back(static_cast<std::uint8_t>(header.message_stream >> shift));
  }
  if (extended) {
    put_be(out, header.timestamp, 4);
  }
  for (;;) {
    const std::size_t piece = std::min<std::size_t>(body.size(), chunk_size_);
    put_bytes(out, body.first(piece));
    body = body.subspan(piece);
    if (body.empty()) {
      return;
    }
    if (pending_size_ != 0) {
      const std::uint32_t size = pending_size_;
      pending_size_ = 0;
      set_chunk_size(out, size);
    }
    out.push_back(static_cast<std::uint8_t>(0xC0 | header.chunk_stream));  // type 3
    if (extended) {
      put_be(out, header.timestamp, 4);
    }
  }
}

void ChunkWriter::set_chunk_size(Bytes& out, std::uint32_t size) {
  Bytes body;
  put_be(body, size, 4);
  write(out, {MessageType::kSetChunkSize, kControlChunkStream, 0, 0}, body);
  chunk_size_ = size;
}

bool ChunkReader::feed(ByteView bytes, const Handler& handler) {
  put_bytes(input_, bytes);
  std::size_t used = 0;
  while (!broken_) {
    const std::size_t eaten = read_chunk(ByteView(input_).subspan(used), handler);
    if (eaten == 0) {
      break;
    }
    used += eaten;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
  return !broken_;
}

std::size_t ChunkReader::read_header(ByteView input, Stream*& stream) {
  static constexpr std::size_t kHeaderSizes[] = {11, 7, 3, 0};  // by type, section 5.3.1.2
  if (input.empty()) {
    return 0;
  }
  const int type = input[0] >> 6;
  std::uint32_t id = input[0] & 0x3F;
  std::size_t at = 1;
  if (id < 2) {  // section 5.3.1.1: ids from 64 on take one or two bytes more
    const std::size_t more = id + 1;
    if (input.size() < 1 + more) {
      return 0;
    }
    id = 64U + input[1] + (more == 2 ? 256U * input[2] : 0U);
    at += more;
  }
  const std::size_t size = kHeaderSizes[type];
  if (input.size() < at + size) {
    return 0;
  }
  stream = &streams_[id];
  bool extended = stream->extended;
  if (size >= 3) {
    extended = get_be(&input[at], 3) == kExtended;
  }
  const std::size_t whole = at + size + (extended ? 4 : 0);
  if (input.size() < whole) {
    return 0;
  }
  stream->extended = extended;
  if (size >= 7) {
    stream->length = static_cast<std::uint32_t>(get_be(&input[at + 3], 3));
    stream->type = static_cast<MessageType>(input[at + 6]);
  }
  return whole;
}

std::size_t ChunkReader::read_chunk(ByteView input, const Handler& handler) {
  Stream* stream = nullptr;
  const std::size_t header = read_header(input, stream);
  if (header == 0) {
    return 0;
  }
  if (stream->length > kLargestReply || stream->body.size() > stream->length) {
    broken_ = true;
    return 0;
  }
  const std::size_t piece =
      std::min<std::size_t>(stream->length - stream->body.size(), chunk_size_);
  if (input.size() < header + piece) {
    return 0;
  }
  put_bytes(stream->body, input.subspan(header, piece));
  if (stream->body.size() == stream->length) {
    const Bytes body = std::move(stream->body);
    stream->body.clear();
    if (stream->type == MessageType::kSetChunkSize && body.size() >= 4) {
      chunk_size_ = std::max(1U, static_cast<std::uint32_t>(get_be(body.data(), 4)) & 0x7FFFFFFF);
    }
    handler(stream->type, body);
  }
  return header + piece;
}

}  // namespace rtmp_publisher
