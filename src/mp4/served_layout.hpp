#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "mp4/clip.hpp"
#include "mp4/committed.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// How source.mp4 is sent. A finished file is sent moov first, as if it had been remuxed: ftyp, the
// moov with its chunk offsets moved, an mdat header, then the media bytes of the file. A growing
// one is sent as a prefix that ends at a whole fragment.
//
// A clip is sent like a finished file, with a moov of its own, whether or not its recording goes
// on.
//
// A finished file's moov is read and patched piece by piece, so memory does not grow with the
// recording's length; a clip's is held. Immutable after open(); piece reads block: pool threads.
class ServedLayout {
 public:
  virtual ~ServedLayout() = default;

  // `committed`: what is whole of a file that is still recorded; ignored when the file
  // turns out to be finished. kCorrupt when it is not one of ours. `clip`: that part alone; errors
  // as select_clip().
  static Result<std::unique_ptr<ServedLayout>> open(std::shared_ptr<storage::File> file,
                                                    const Committed& committed,
                                                    const std::optional<Clip>& clip = {});

  [[nodiscard]] virtual bool finished() const = 0;
  [[nodiscard]] virtual std::uint64_t length() const = 0;  // of what is sent

  // Bytes [0, memory_length()) of what is sent come from read(); the rest, in order, are the bytes
  // of the file that begin at media_offset().
  [[nodiscard]] virtual std::uint64_t memory_length() const = 0;
  [[nodiscard]] virtual std::uint64_t media_offset() const = 0;
  // Fills `into` from `offset` of what is sent; offset + size <= memory_length().
  virtual Status read(std::span<std::uint8_t> into, std::uint64_t offset) const = 0;
  // The same, should all of it be in memory anyway; else empty.
  [[nodiscard]] virtual ByteView held() const { return {}; }

 protected:
  // read() of what is held in memory.
  static Status copy_exactly(ByteView all, std::span<std::uint8_t> into, std::uint64_t offset);
};

}  // namespace recording::mp4
