#include "transcode/live_sessions.hpp"

#include <algorithm>
#include <utility>

#include "transcode/live_sweep.hpp"

namespace recording::transcode {
namespace {

constexpr std::int64_t kSweepMs = 15000;
// Players may be this far behind the end of a stream.
constexpr std::int64_t kKeepMs = 60000;

}  // namespace

LiveSessions::LiveSessions(LiveEnvironment environment, std::vector<std::string> paths)
    : env_(std::move(environment)), paths_(std::move(paths)) {}

LiveSession* LiveSessions::begin(std::string app, std::string name, std::uint64_t session,
                                 const TranscoderSettings& settings,
                                 std::unique_ptr<RenditionSink> sink) {
  sessions_.push_back(std::make_unique<LiveSession>(env_, std::move(app), std::move(name), session,
                                                    settings, std::move(sink)));
  return sessions_.back().get();
}

void LiveSessions::end(LiveSession* session) { session->end(); }

void LiveSessions::tick() {
  for (const auto& session : sessions_) {
    session->tick();
  }
  std::erase_if(sessions_, [](const auto& session) { return session->over(); });
  sweep();
}

bool LiveSessions::busy() const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [](const auto& session) { return session->supervisor().finishing(); });
}

// By whichever worker comes first.
void LiveSessions::sweep() {
  const std::int64_t now = env_.clock.monotonic_ms();
  if (paths_.empty() || (swept_ms_ != 0 && now - swept_ms_ < kSweepMs)) {
    return;
  }
  swept_ms_ = now;
  auto lock = runtime::OwnerLock::try_acquire(env_.runtime_directory + "/live-sweep.lock");
  if (!lock) {
    return;
  }
  (void)post(
      env_.files,
      [paths = paths_, runtime = env_.runtime_directory, wall = env_.clock.wall_ms()] {
        for (const std::string& path : paths) {
          transcode::sweep(path, kKeepMs, wall, [&runtime](const std::string& session) {
            return runtime::OwnerLock::is_held(session_lock_path(runtime, session));
          });
        }
        return ok();
      },
      [lock = std::move(lock).value()](Status) {});
}

}  // namespace recording::transcode
