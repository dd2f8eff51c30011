#pragma once

#include <string_view>
#include <vector>

// The files of the folder pages/, made part of the program when it is built
// (tools/embed_file.cmake).
namespace recording::pages {

std::string_view live_html();
std::string_view live_css();
std::string_view live_js();
std::string_view video_html();
std::string_view video_css();
std::string_view video_js();
// hls.js by its authors (Apache-2.0); a comment where the build had none.
std::string_view hls_js();

struct EmbeddedFile {
  std::string_view name, body;
};
// All of pages/console/.
std::vector<EmbeddedFile> console_files();

}  // namespace recording::pages
