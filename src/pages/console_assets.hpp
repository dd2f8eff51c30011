#pragma once

#include <string_view>

#include "pages/assets.hpp"

namespace recording::pages {

// The page of the console; what it loads is below "assets/{version}/", where the version follows
// from the content of all of it.
const Asset& console_page();

struct ConsoleAsset {
  const Asset* asset = nullptr;  // nullptr: there is no such file
  bool current = false;          // asked for by its present version: it never changes
};
// `path`: what follows "assets/": "{version}/main.js". Of another version (a page that was loaded
// before an upgrade) the present file is given.
ConsoleAsset find_console_asset(std::string_view path);

// As kPagePolicy. The console changes things, so nobody else may have it in a frame.
inline constexpr std::string_view kConsolePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self'; frame-src 'self'; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'";

}  // namespace recording::pages
