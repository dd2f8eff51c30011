#pragma once

#include <memory>

#include "mp4/clip.hpp"
#include "mp4/head.hpp"
#include "mp4/served_layout.hpp"

namespace recording::mp4 {

// A clip as it is sent: ftyp, a moov of its own, an mdat header, and one stretch of the file, from
// the first byte of its samples to the last one. The moov is made here, in memory: some 6 bytes a
// sample. `committed`: of a growing file; only its length counts of a finished one. Errors as
// select_clip().
Result<std::unique_ptr<ServedLayout>> open_clip_layout(storage::File& file, const Head& head,
                                                       const Committed& committed,
                                                       const Clip& clip);

}  // namespace recording::mp4
