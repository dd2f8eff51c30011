// What a transcoder writes, cut anywhere: the tags of an FLV file do not depend on how it is cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "transcode/flv_tag_reader.hpp"

namespace {

using namespace recording;
using transcode::FlvTagReader;

struct Outcome {
  bool good = true;
  Bytes tags;
  bool operator==(const Outcome&) const = default;
};

Outcome read(ByteView file, std::size_t cut) {
  FlvTagReader reader;
  Outcome outcome;
  for (std::size_t at = 0; at < file.size() && outcome.good; at += cut) {
    const ByteView view = file.subspan(at, std::min(cut, file.size() - at));
    const Bytes piece(view.begin(), view.end());  // the sanitizer sees its ends
    outcome.good = reader.add(piece, [&](const FlvTagReader::Tag& tag) {
      put_u8(outcome.tags, tag.type);
      put_u32(outcome.tags, tag.timestamp_ms);
      put_bytes(outcome.tags, tag.body);
    });
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const ByteView file(data + 1, size - 1);
  if (read(file, data[0] % 64 + 1U) != read(file, size)) {
    std::abort();
  }
  return 0;
}
