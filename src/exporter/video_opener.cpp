#include "exporter/video_opener.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace recording::exporter {
namespace {

constexpr std::size_t kOpenVideos = 128;
constexpr std::int64_t kIdleMs = 60'000;
// A file can move, and its record go, between being located and being opened. Not twice.
constexpr int kRounds = 2;

constexpr const char* kNoFile = "not_found: the file is not there";

using OpenResult = Result<std::shared_ptr<const ServedVideo>>;

// It is there, and will have media.
bool is_waiting(const Error& error) { return error.message.starts_with("no_media_yet"); }

// In a pool thread, where nothing may throw.
OpenResult open_first(const VideoLocation& location, const VideoPart& part) noexcept {
  try {
    const bool source = part.name == "source" || part.bytes == VideoBytes::kPicture;
    for (const std::string& folder : location.folders) {
      OpenResult video = ServedVideo::open(folder + "/" + file_name(part), part,
                                           source ? location.committed : mp4::Committed());
      if (video || video.error().code != Errc::kNotFound || is_waiting(video.error())) {
        return video;
      }
    }
    return Error{Errc::kNotFound, kNoFile};
  } catch (const std::exception&) {
    return Error{Errc::kInternal, "out of memory"};
  }
}

Result<catalog::VideoRow> find_row(catalog::Catalog& catalog, const std::string& slug) {
  Result<catalog::VideoRow> row = catalog.video_by_slug(slug);
  if (!row && row.error().code == Errc::kNotFound) {
    Result<bool> deleted = catalog.was_deleted(slug);
    if (deleted && deleted.value()) {
      return Error{Errc::kNotFound, "video_deleted: the video was deleted"};
    }
  }
  return row;
}

}  // namespace

struct VideoOpener::Shared {
  Shared(Ports ports_in, VideoFolders folders_in)
      : ports(ports_in), folders(std::move(folders_in)), cache(kOpenVideos, kIdleMs) {}

  // Nothing: the live state does not know it.
  Result<std::optional<VideoLocation>> locate_live(const std::string& slug) {
    auto transaction = ports.state.begin();
    if (!transaction) {
      return std::move(transaction).error();
    }
    const auto& records = transaction.value();
    const auto* recording = records.recording(records.find_recording_by_slug(slug));
    if (recording == nullptr) {
      return std::optional<VideoLocation>();
    }
    const auto* stream = records.stream(recording->stream);
    return std::optional<VideoLocation>(
        locate_recording(folders, *recording, stream != nullptr ? stream->app.view() : "",
                         stream != nullptr ? stream->name.view() : ""));
  }

  Ports ports;
  VideoFolders folders;
  VideoCache cache;
};

// For a download may outlive its file.
std::shared_ptr<const ServedVideo> VideoOpener::closed_in_pool(
    const std::shared_ptr<Shared>& opener, std::shared_ptr<const ServedVideo> video) {
  const ServedVideo* served = video.get();
  return {served, [opener = std::weak_ptr(opener), video](const ServedVideo*) mutable {
            if (const auto alive = opener.lock()) {
              release(alive->ports.io, std::move(video));
            }
          }};
}

// One open(): live state, file, catalogue, file, and once more from the beginning. Closures that
// wait in a pool hold it; it holds the opener weakly, so that nothing is touched after that is
// gone.
class VideoOpener::Attempt : public std::enable_shared_from_this<VideoOpener::Attempt> {
 public:
  Attempt(std::weak_ptr<Shared> opener, std::string slug, VideoPart part, Opened then)
      : opener_(std::move(opener)), slug_(std::move(slug)), part_(part), then_(std::move(then)) {}

  void ask_live_state() {
    const auto opener = opener_.lock();
    if (!opener) {
      return;
    }
    auto location = opener->locate_live(slug_);
    if (!location) {
      return then_(std::move(location).error());
    }
    if (location.value()) {
      return open(*std::move(location).value(), &Attempt::ask_catalog);
    }
    ask_catalog();
  }

 private:
  using Step = void (Attempt::*)();

  void ask_catalog() {
    const auto opener = opener_.lock();
    if (!opener) {
      return;
    }
    opener->ports.catalog.read(
        [slug = slug_](catalog::Catalog& catalog) { return find_row(catalog, slug); },
        [self = shared_from_this()](Result<catalog::VideoRow> row) {
          self->on_row(std::move(row));
        });
  }

  void on_row(Result<catalog::VideoRow> row) {
    const auto opener = opener_.lock();
    if (!opener) {
      return;
    }
    if (!row) {
      return then_(std::move(row).error());
    }
    auto location = locate_video(opener->folders, row.value());
    if (!location) {
      return then_(std::move(location).error());
    }
    open(std::move(location).value(), &Attempt::next_round);
  }

  void next_round() {
    if (++round_ > kRounds) {
      return then_(Error{Errc::kNotFound, kNoFile});
    }
    ask_live_state();
  }

  // `otherwise`: what to do when there is no such file.
  void open(VideoLocation location, Step otherwise) {
    const auto opener = opener_.lock();
    const bool posted = post(
        opener->ports.io,
        [location = std::move(location), part = part_] { return open_first(location, part); },
        [self = shared_from_this(), otherwise](OpenResult video) {
          self->on_opened(std::move(video), otherwise);
        });
    if (!posted) {
      then_(Error{Errc::kUnavailable, "too much work waits for the disk"});
    }
  }

  void on_opened(OpenResult video, Step otherwise) {
    const auto opener = opener_.lock();
    if (!opener) {
      return;
    }
    if (!video && video.error().code == Errc::kNotFound && !is_waiting(video.error())) {
      return (this->*otherwise)();
    }
    if (video) {
      video = closed_in_pool(opener, std::move(video).value());
      opener->cache.put(slug_, part_, video.value(), opener->ports.clock.monotonic_ms());
    }
    then_(std::move(video));
  }

  std::weak_ptr<Shared> opener_;
  std::string slug_;
  VideoPart part_;
  Opened then_;
  int round_ = 1;
};

VideoOpener::VideoOpener(Ports ports, VideoFolders folders)
    : shared_(std::make_shared<Shared>(ports, std::move(folders))) {}

VideoOpener::~VideoOpener() = default;

void VideoOpener::open(std::string slug, VideoPart part, Opened then) {
  if (auto video = shared_->cache.find(slug, part, shared_->ports.clock.monotonic_ms())) {
    return then(std::move(video));
  }
  std::make_shared<Attempt>(shared_, std::move(slug), part, std::move(then))->ask_live_state();
}

void VideoOpener::find_name(std::string slug, std::function<void(std::string)> then) {
  shared_->ports.catalog.read(
      [slug](catalog::Catalog& catalog) { return catalog.video_by_slug(slug); },
      [slug, then = std::move(then)](Result<catalog::VideoRow> row) {
        then(row && !row.value().name.empty() ? std::move(row.value().name) : slug);
      });
}

void VideoOpener::sweep() { shared_->cache.sweep(shared_->ports.clock.monotonic_ms()); }

bool VideoOpener::idle() const { return shared_->cache.size() == 0; }

}  // namespace recording::exporter
