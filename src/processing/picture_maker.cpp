#include "processing/picture_maker.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "processing/encode_command.hpp"
#include "processing/new_file.hpp"
#include "processing/output_plan.hpp"
#include "processing/sprite_sheet.hpp"

namespace recording::processing {
namespace {

constexpr int kMostScreenshots = 5;
constexpr std::int64_t kTicksInMs = kTicks / 1000;

// All that a run of ffmpeg writes.
Result<Bytes> run_all(const Tools& tools, std::vector<std::string> arguments,
                      std::unique_ptr<ByteSource> input) {
  auto run = FfmpegRun::start(tools, std::move(arguments), std::move(input));
  if (!run) {
    return std::move(run).error();
  }
  auto done = finish(*run.value());
  if (!done) {
    return std::move(done).error();
  }
  auto& [all, said] = done.value();
  if (all.empty()) {
    return Error{Errc::kCorrupt, "ffmpeg gave no picture" + (said.empty() ? said : ": " + said)};
  }
  return std::move(all);
}

class Maker {
 public:
  Maker(storage::FileSystem& files, const Tools& tools, const SourcePlan& source,
        const std::string& folder, Progress& progress)
      : files_(files), tools_(tools), source_(source), folder_(folder), progress_(progress) {
    const media::SourceParameters& largest = *largest_picture(source);
    plan_ = plan_sprite(
        source.end / kTicksInMs,
        transcode::shape_of({largest.width, largest.height}, largest.sar_num, largest.sar_den));
  }

  Result<Pictures> make() {
    RECORDING_TRY(make_sprite());
    RECORDING_TRY(make_poster());
    RECORDING_TRY(make_screenshots());
    return made_;
  }

 private:
  // The key frame that is seen then, or the first one.
  [[nodiscard]] std::size_t key_at(std::int64_t ms) const {
    const auto after =
        std::upper_bound(source_.keys.begin(), source_.keys.end(), ms * kTicksInMs,
                         [](std::int64_t time, const KeyPicture& key) { return time < key.at; });
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - source_.keys.begin() - 1, 0));
  }

  [[nodiscard]] const media::SourceParameters& source_of(std::size_t key) const {
    return source_.pictures[source_.keys[key].part].config.source;
  }

  Result<Bytes> decode(std::size_t key, std::vector<std::string> arguments) {
    const KeyPicture& picture = source_.keys[key];
    mp4::Clip clip;
    clip.from_ms = picture.at / kTicksInMs;
    clip.to_ms = clip.from_ms + 1;
    clip.only = media::TrackKind::kVideo;
    auto movie = MovieSource::open(source_.file, clip);
    if (!movie) {
      return std::move(movie).error();
    }
    return run_all(tools_, std::move(arguments), std::move(movie).value());
  }

  // Another time may do, or another picture does no better.
  static bool is_final(const Error& error) {
    return error.code == Errc::kUnavailable || error.code == Errc::kInternal ||
           error.code == Errc::kIo || error.code == Errc::kNoSpace;
  }
  // The rest is made without it.
  Status pass(Error error, const char* what) {
    if (is_final(error)) {
      return error;
    }
    if (made_.error.empty()) {
      made_.error = std::string(what) + ": " + error.message;
    }
    return ok();
  }

  Status make_sprite() {
    Planes sheet(plan_.sheet);
    bool any = false;
    for (int i = 0; i < plan_.tiles; ++i) {
      const std::size_t key = key_at(plan_.middle_ms(i));
      if (tiles_.count(key) == 0) {
        auto bytes = decode(key, tile_arguments(source_of(key), plan_.tile));
        if (!bytes) {
          RECORDING_TRY(pass(std::move(bytes).error(), "a picture of the sprite"));
        } else if (bytes.value().size() == Planes::bytes_of(plan_.tile)) {
          Planes tile(plan_.tile);
          tile.bytes = std::move(bytes).value();
          tiles_.emplace(key, std::move(tile));
        }
      }
      if (const auto tile = tiles_.find(key); tile != tiles_.end()) {
        const auto [x, y] = tile_offset(plan_, i);
        sheet.put(tile->second, x, y);
        any = true;
      }
      progress_.at(static_cast<double>(i) / (plan_.tiles + kMostScreenshots));
    }
    if (!any) {
      return ok();
    }
    auto jpeg = run_all(tools_, sheet_arguments(plan_.sheet),
                        std::make_unique<MemorySource>(std::move(sheet.bytes)));
    if (!jpeg) {
      return pass(std::move(jpeg).error(), "sprite.jpg");
    }
    RECORDING_TRY(write_file(files_, folder_, "sprite.jpg", jpeg.value()));
    const std::string vtt = sprite_vtt(plan_, source_.end / kTicksInMs);
    RECORDING_TRY(write_file(files_, folder_, "sprite.vtt",
                             {reinterpret_cast<const std::uint8_t*>(vtt.data()), vtt.size()}));
    made_.sprite = true;
    return ok();
  }

  Result<bool> make_jpeg(std::size_t key, const std::string& name) {
    auto jpeg = decode(key, jpeg_arguments(source_of(key)));
    if (!jpeg) {
      RECORDING_TRY(pass(std::move(jpeg).error(), name.c_str()));
      return false;
    }
    RECORDING_TRY(write_file(files_, folder_, name, jpeg.value()));
    return true;
  }

  // The one that has most to see: not a black one, as videos begin with.
  Status make_poster() {
    const auto best = std::max_element(
        tiles_.begin(), tiles_.end(),
        [](const auto& a, const auto& b) { return a.second.contrast() < b.second.contrast(); });
    if (best == tiles_.end()) {
      return ok();
    }
    auto made = make_jpeg(best->first, "poster.jpg");
    if (!made) {
      return std::move(made).error();
    }
    made_.poster = made.value();
    return ok();
  }

  Status make_screenshots() {
    const std::int64_t each = source_.end / kTicksInMs / kMostScreenshots;
    std::optional<std::size_t> before;
    for (int i = 0; i < kMostScreenshots; ++i) {
      const std::size_t key = key_at(i * each + each / 2);
      if (before == key || tiles_.empty()) {
        continue;
      }
      before = key;
      auto made = make_jpeg(key, "screenshot-" + std::to_string(made_.screenshots + 1) + ".jpg");
      if (!made) {
        return std::move(made).error();
      }
      made_.screenshots += made.value() ? 1 : 0;
    }
    return ok();
  }

  storage::FileSystem& files_;
  const Tools& tools_;
  const SourcePlan& source_;
  const std::string& folder_;
  Progress& progress_;
  SpritePlan plan_;
  std::map<std::size_t, Planes> tiles_;  // by the number of their key frame
  Pictures made_;
};

}  // namespace

Result<Pictures> make_pictures(storage::FileSystem& files, const Tools& tools,
                               const SourcePlan& source, const std::string& folder,
                               Progress& progress) {
  return source.keys.empty() ? Result<Pictures>(Pictures{})
                             : Maker(files, tools, source, folder, progress).make();
}

}  // namespace recording::processing
