#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.hpp"

namespace recording::transcode {

// Takes an FLV file apart (Adobe FLV 10.1, E.2 to E.4.1) that comes in pieces of any size. It holds
// one tag at most, which is 16 MiB at most. Event loop only.
class FlvTagReader {
 public:
  static constexpr std::uint8_t kAudio = 8, kVideo = 9, kScript = 18;
  struct Tag {
    std::uint8_t type = 0;
    std::uint32_t timestamp_ms = 0;
    ByteView body;  // valid until `use` returns
  };

  // Calls `use` for each tag that is whole now. False: this is no FLV; nothing of it is read any
  // more.
  bool add(ByteView piece, const std::function<void(const Tag&)>& use);

 private:
  std::size_t take_header(ByteView bytes);
  std::size_t take_tag(ByteView bytes, const std::function<void(const Tag&)>& use);

  Bytes begun_;  // of a tag that is not whole yet
  bool has_header_ = false;
  bool broken_ = false;
};

}  // namespace recording::transcode
