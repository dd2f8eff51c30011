#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// How source.mp4 is sent. A finished file is sent moov first, as if it had been remuxed: ftyp, the
// moov with its chunk offsets moved, an mdat header, then the media bytes of the file. A growing
// one is sent as a prefix that ends at a whole fragment. Nothing here holds more than one piece.
//
// A finished file's moov is read and patched piece by piece, so memory does not grow with the
// recording's length. Immutable after open(); piece reads block: pool threads.
class ServedLayout {
 public:
  virtual ~ServedLayout() = default;

  // `growing_length`: the committed length of a file that is still recorded; ignored when the file
  // turns out to be finished. kCorrupt when it is not one of ours.
  static Result<std::unique_ptr<ServedLayout>> open(std::shared_ptr<storage::File> file,
                                                    std::uint64_t growing_length);

  [[nodiscard]] virtual bool finished() const = 0;
  [[nodiscard]] virtual std::uint64_t length() const = 0;  // of what is sent

  // Bytes [0, memory_length()) of what is sent come from read(); the rest, in order, are the bytes
  // of the file that begin at media_offset().
  [[nodiscard]] virtual std::uint64_t memory_length() const = 0;
  [[nodiscard]] virtual std::uint64_t media_offset() const = 0;
  // Fills `into` from `offset` of what is sent; offset + size <= memory_length().
  virtual Status read(std::span<std::uint8_t> into, std::uint64_t offset) const = 0;
};

}  // namespace recording::mp4
