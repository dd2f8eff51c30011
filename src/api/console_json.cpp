#include "api/console_json.hpp"

#include <algorithm>

#include "api/json.hpp"
#include "base/url.hpp"

namespace recording::api {
namespace {

// Over the root of whoever serves both: a proxy may have put something in front of it.
Json relative(std::string_view console_prefix, std::string_view prefix) {
  if (prefix.empty()) {
    return nullptr;
  }
  const auto folders = std::count(console_prefix.begin(), console_prefix.end(), '/') -
                       (console_prefix.ends_with('/') ? 1 : 0);
  std::string path = "./";  // a first folder with a colon would be taken for a scheme
  for (std::ptrdiff_t i = 0; i < folders; ++i) {
    path += "../";
  }
  while (!prefix.empty()) {
    const std::size_t slash = prefix.find('/');
    const std::string_view folder = prefix.substr(0, slash);
    path += folder.empty() ? "" : percent_encode(folder) + "/";
    prefix.remove_prefix(slash == prefix.npos ? prefix.size() : slash + 1);
  }
  return path;
}

}  // namespace

std::string console_config(std::string_view console_prefix, std::string_view api_prefix,
                           std::string_view files_prefix, const std::string& links_begin) {
  return to_text({{"api", relative(console_prefix, api_prefix)},
                  {"files", relative(console_prefix, files_prefix)},
                  {"links", text_or_null(links_begin)}});
}

}  // namespace recording::api
