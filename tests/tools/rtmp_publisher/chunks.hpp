#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "wire.hpp"

namespace rtmp_publisher {

// Message types of RTMP 1.0, sections 5.4 and 7.1.
enum class MessageType : std::uint8_t {
  kSetChunkSize = 1,
  kUserControl = 4,
  kAudio = 8,
  kVideo = 9,
  kData = 18,
  kCommand = 20,
};

struct MessageHeader {
  MessageType type = MessageType::kCommand;
  std::uint32_t chunk_stream = 3;
  std::uint32_t timestamp = 0;
  std::uint32_t message_stream = 0;
};

inline constexpr std::uint32_t kDefaultChunkSize = 128;  // RTMP 1.0, section 5.4.1

// Cuts messages into chunks. Full headers (type 0) only: what costs the server is the number of
// chunks, and an absolute timestamp needs no state that a repeated or swapped message could upset.
class ChunkWriter {
 public:
  void write(Bytes& out, const MessageHeader& header, ByteView body);

  // Announces the size, which then holds for what follows.
  void set_chunk_size(Bytes& out, std::uint32_t size);

  // The next message of more than one chunk has a change to `size` between its first two chunks:
  // RTMP 1.0, section 5.4 lets protocol control messages interleave.
  void change_inside_next_message(std::uint32_t size) { pending_size_ = size; }

 private:
  std::uint32_t chunk_size_ = kDefaultChunkSize;
  std::uint32_t pending_size_ = 0;
};

// Puts the server's chunks together again.
class ChunkReader {
 public:
  using Handler = std::function<void(MessageType, ByteView)>;

  // False: this is not RTMP.
  bool feed(ByteView bytes, const Handler& handler);

 private:
  struct Stream {
    std::uint32_t length = 0;
    MessageType type = MessageType::kCommand;
    bool extended = false;
    Bytes body;
  };

  // Bytes eaten from the front of `input`; 0: more are needed.
  std::size_t read_chunk(ByteView input, const Handler& handler);
  std::size_t read_header(ByteView input, Stream*& stream);

  std::uint32_t chunk_size_ = kDefaultChunkSize;
  bool broken_ = false;
  Bytes input_;
  std::unordered_map<std::uint32_t, Stream> streams_;
};

}  // namespace rtmp_publisher
