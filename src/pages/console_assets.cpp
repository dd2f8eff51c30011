#include "pages/console_assets.hpp"

#include <algorithm>
#include <vector>

#include "pages/embedded.hpp"

namespace recording::pages {
namespace {

constexpr std::string_view kPage = "index.html";
constexpr std::string_view kFolder = "assets/";

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".css")) {
    return "text/css; charset=utf-8";
  }
  if (name.ends_with(".svg")) {
    return "image/svg+xml";
  }
  return name.ends_with(".html") ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8";
}

struct Console {
  std::vector<Asset> assets;
  std::string version, page_text;
  Asset page;

  Console() {
    std::string all;
    for (const EmbeddedFile& file : console_files()) {
      all += make_asset(file.name, type_of(file.name), file.body).etag;
      if (file.name == kPage) {
        page_text = file.body;
      } else {
        assets.push_back(make_asset(file.name, type_of(file.name), file.body));
      }
    }
    version = make_asset("", "", all).etag;
    version = version.substr(1, version.size() - 2);
    const std::string versioned = std::string(kFolder) + version + "/";
    for (std::size_t at = 0; (at = page_text.find(kFolder, at)) != page_text.npos;
         at += versioned.size()) {
      page_text.replace(at, kFolder.size(), versioned);
    }
    page = make_asset(kPage, type_of(kPage), page_text);
  }
};

const Console& console() {
  static const Console made;
  return made;
}

}  // namespace

const Asset& console_page() { return console().page; }

ConsoleAsset find_console_asset(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == path.npos) {
    return {};
  }
  const auto& assets = console().assets;
  const auto found = std::find_if(assets.begin(), assets.end(), [&](const Asset& asset) {
    return asset.name == path.substr(slash + 1);
  });
  return found == assets.end() ? ConsoleAsset()
                               : ConsoleAsset{&*found, path.substr(0, slash) == console().version};
}

}  // namespace recording::pages
