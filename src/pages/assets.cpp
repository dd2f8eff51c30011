#include "pages/assets.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/bytes.hpp"
#include "base/strings.hpp"
#include "pages/embedded.hpp"

namespace recording::pages {

Asset make_asset(std::string_view name, std::string_view content_type, std::string_view body) {
  Bytes hash;
  put_u64(hash, std::hash<std::string_view>()(body));
  return {name, content_type, body, '"' + to_hex(hash) + '"'};
}

const Asset& live_page() {
  static const Asset page = make_asset("live.html", "text/html; charset=utf-8", live_html());
  return page;
}

const Asset& video_page() {
  static const Asset page = make_asset("video.html", "text/html; charset=utf-8", video_html());
  return page;
}

const Asset* find_asset(std::string_view name) {
  static const std::array<Asset, 5> assets = {
      make_asset("live.css", "text/css; charset=utf-8", live_css()),
      make_asset("live.js", "text/javascript; charset=utf-8", live_js()),
      make_asset("video.css", "text/css; charset=utf-8", video_css()),
      make_asset("video.js", "text/javascript; charset=utf-8", video_js()),
      make_asset("hls.js", "text/javascript; charset=utf-8", hls_js())};
  const auto* found = std::find_if(assets.begin(), assets.end(),
                                   [name](const Asset& asset) { return asset.name == name; });
  return found == assets.end() ? nullptr : found;
}

}  // namespace recording::pages
