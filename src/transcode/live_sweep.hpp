#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace recording::transcode {

// Takes away the sessions below `path` that `in_use` denies and that nobody has written to for
// `keep_ms`, and what is empty then; of sessions in use the media of runs that are over for as long
// and that no playlist lists any more. What cannot be removed stays for the next time. Blocks: pool
// threads only.
void sweep(const std::string& path, std::int64_t keep_ms, std::int64_t wall_ms,
           const std::function<bool(const std::string& session)>& in_use);

}  // namespace recording::transcode
