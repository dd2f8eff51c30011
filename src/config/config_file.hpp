#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

// The recording { } block of a file in nginx's syntax: of nginx.conf itself, whose other blocks are
// passed over, or of a file that has nothing else.
namespace recording::config {

struct SourceText {
  std::string name;  // of the file, for messages
  std::string text;
};
// What `include PATTERN` means.
using Includes = std::function<Result<std::vector<SourceText>>(const std::string& pattern)>;

// The block, checked and completed. `prefix`: nginx's, with its final slash, for relative paths;
// empty: they are refused. kInvalidArgument with file and line, as nginx -t says it.
Result<Config> parse_config(const SourceText& source, std::string_view prefix,
                            const Includes& includes);

// Of the file; `include` is relative to its folder, and takes wildcards. "-": standard input.
// Blocks.
Result<Config> read_config(const std::string& path, const std::string& prefix);

}  // namespace recording::config
