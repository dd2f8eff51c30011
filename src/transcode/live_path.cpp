#include "transcode/live_path.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/url.hpp"
#include "transcode/live_folder.hpp"

namespace recording::transcode {
namespace {

constexpr std::string_view kManifestName = "manifest.mpd";
constexpr std::string_view kHls = ".m3u8";
constexpr std::size_t kLongestFileName = 64;

struct Kind {
  std::string_view extension, content_type;
  bool playlist;
};
// RFC 8216, 4; ISO/IEC 23009-1, annexes C and D; RFC 4337.
constexpr std::array<Kind, 4> kKinds = {{{kHls, "application/vnd.apple.mpegurl", true},
                                         {".mpd", "application/dash+xml", true},
                                         {".m4s", "video/iso.segment", false},
                                         {".mp4", "video/mp4", false}}};

const Kind* kind_of(std::string_view file) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(), [file](const Kind& kind) {
    return file.ends_with(kind.extension);
  });
  return found == kKinds.end() ? nullptr : found;
}

bool is_harmless(std::string_view name) {
  return name.size() <= kLongestFileName && !name.starts_with('.') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

bool LivePath::is_playlist() const {
  const Kind* kind = kind_of(file);
  return kind != nullptr && kind->playlist;
}

std::string_view LivePath::content_type() const {
  const Kind* kind = kind_of(file);
  return kind != nullptr ? kind->content_type : std::string_view();
}

std::optional<LivePath> parse_live_path(std::string_view path) {
  auto parts = split_path(path);
  if (!parts || path.ends_with('/') || parts->size() < 3 || parts->size() > 6 ||
      (*parts)[0] != "live" || (*parts)[1].empty() || (*parts)[2].empty()) {
    return std::nullopt;
  }
  LivePath out;
  out.app = std::move((*parts)[1]);
  out.name = std::move((*parts)[2]);
  if (parts->size() == 3) {
    return out;
  }
  out.file = std::move(parts->back());
  if (parts->size() == 4) {
    return out.file == kMasterName || out.file == kManifestName ? std::optional(out) : std::nullopt;
  }
  out.session = std::move((*parts)[3]);
  if (!is_session_name(out.session) || !is_harmless(out.file) || kind_of(out.file) == nullptr) {
    return std::nullopt;
  }
  // HLS knows no runs, and all else knows no session.
  if (out.file.ends_with(kHls) != (parts->size() == 5)) {
    return std::nullopt;
  }
  if (parts->size() == 6) {
    out.run = std::move((*parts)[4]);
    if (!is_run_name(out.run)) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace recording::transcode
