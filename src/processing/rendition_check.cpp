#include "processing/rendition_check.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "processing/encode_command.hpp"
#include "transcode/lines.hpp"

namespace recording::processing {

Status check_rendition(storage::FileSystem& files, const Tools& tools, const MadeRendition& made) {
  auto file = files.open_for_read(made.path);
  if (!file) {
    return std::move(file).error();
  }
  auto movie = MovieSource::open(std::shared_ptr<storage::File>(std::move(file).value()));
  if (!movie) {
    return std::move(movie).error();
  }
  auto run = FfmpegRun::start(tools, check_arguments(), std::move(movie).value());
  if (!run) {
    return std::move(run).error();
  }
  transcode::ProgramReport report;
  transcode::Lines lines;
  for (;;) {
    auto piece = run.value()->read();
    if (!piece) {
      return std::move(piece).error();
    }
    if (piece.value().empty()) {
      break;
    }
    lines.add(
        std::string_view(reinterpret_cast<const char*>(piece.value().data()), piece.value().size()),
        [&report](std::string_view line) { report.take(line); });
  }
  RECORDING_TRY(run.value()->end());
  if (!run.value()->first_error().empty()) {
    return Error{Errc::kCorrupt, "what was written does not decode: " + run.value()->first_error()};
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

}  // namespace recording::processing
