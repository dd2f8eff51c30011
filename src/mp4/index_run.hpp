#pragma once

#include "mp4/media_index.hpp"
#include "mp4/varint.hpp"

namespace recording::mp4 {

// The samples of one run in an index: first dts as told from `next_dts`, counts, times, keys,
// sizes.
void encode_run(Bytes& out, const RunView& run, std::int64_t next_dts);
bool decode_run(VarintReader& in, IndexedRun& run, std::int64_t next_dts);

}  // namespace recording::mp4
