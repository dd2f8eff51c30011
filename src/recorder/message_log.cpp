#include "recorder/message_log.hpp"

#if RECORDING_TESTING

#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

namespace recording::recorder {

void log_message(std::uint64_t session, media::TrackKind kind, std::uint32_t timestamp_ms,
                 media::Pieces message) noexcept {
  static const int fd = [] {
    const char* path = std::getenv("RECORDING_MESSAGE_LOG");
    return path == nullptr ? -1 : ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  }();
  if (fd < 0) {
    return;
  }
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, 64 bits
  std::size_t size = 0;
  for (const iovec& piece : message) {
    const auto* bytes = static_cast<const std::uint8_t*>(piece.iov_base);
    for (std::size_t i = 0; i < piece.iov_len; ++i) {
      hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    size += piece.iov_len;
  }
  char line[128];
  const int length = std::snprintf(
      line, sizeof(line), "%016" PRIx64 " %c %" PRIu32 " %zu %016" PRIx64 "\n", session,
      kind == media::TrackKind::kVideo ? 'v' : 'a', timestamp_ms, size, hash);
  (void)!::write(fd, line, static_cast<std::size_t>(length));
}

}  // namespace recording::recorder

#endif
