#include "processing/rendition_check.hpp"

#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "processing/encode_command.hpp"
#include "transcode/lines.hpp"

namespace recording::processing {
namespace {

Status compare(const MadeRendition& made, const FinishedRun& decoded) {
  transcode::ProgramReport report;
  transcode::Lines lines;
  lines.add(
      std::string_view(reinterpret_cast<const char*>(decoded.output.data()), decoded.output.size()),
      [&report](std::string_view line) { report.take(line); });
  if (!decoded.first_error.empty()) {
    return Error{Errc::kCorrupt, "what was written does not decode: " + decoded.first_error};
  }
  if (report.frames != static_cast<std::int64_t>(made.pictures)) {
    return Error{Errc::kCorrupt, "what was written decodes to " + std::to_string(report.frames) +
                                     " pictures instead of " + std::to_string(made.pictures)};
  }
  // To a packet of sound, or to a picture: ffmpeg does not say how long the last one is seen.
  constexpr std::int64_t kTolerance = 200;
  const std::int64_t lasts = report.media_us / 1000;
  if (std::abs(lasts - made.duration_ms) > kTolerance) {
    return Error{Errc::kCorrupt, "what was written lasts " + std::to_string(lasts) +
                                     " ms instead of " + std::to_string(made.duration_ms)};
  }
  return ok();
}

}  // namespace

Result<std::vector<Status>> check_renditions(const Tools& tools,
                                             const std::vector<MadeRendition>& made,
                                             Progress& progress) {
  // Several at once, of one thread each: that takes a seventh less than a decoder of several, and
  // no processor waits for a program to start or to end. Those that are not listened to yet say
  // little.
  constexpr std::size_t kAtOnce = 3;
  const int threads = made.size() > 1 ? 1 : 0;
  std::deque<std::unique_ptr<FfmpegRun>> runs;
  const auto start = [&](std::size_t i) -> Status {
    if (i < made.size()) {
      auto run = FfmpegRun::start(tools, check_arguments(made[i].path, threads), nullptr);
      if (!run) {
        return std::move(run).error();
      }
      runs.push_back(std::move(run).value());
    }
    return ok();
  };
  for (std::size_t i = 0; i + 1 < kAtOnce; ++i) {
    RECORDING_TRY(start(i));
  }
  std::vector<Status> checked;
  for (std::size_t i = 0; i < made.size(); ++i) {
    RECORDING_TRY(start(i + kAtOnce - 1));
    auto decoded = finish(*runs.front());
    runs.pop_front();
    checked.push_back(decoded ? compare(made[i], decoded.value())
                              : Status(std::move(decoded).error()));
    if (!checked.back() && checked.back().error().code != Errc::kCorrupt) {
      return std::move(checked.back()).error();
    }
    progress.at(static_cast<double>(i + 1) / static_cast<double>(made.size()));
  }
  return checked;
}

}  // namespace recording::processing
