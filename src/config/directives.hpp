#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/config.hpp"

// The directives of the recording { } block: one table for nginx and for recording-worker.
namespace recording::config {

struct Directive {
  std::string_view name;
  unsigned least, most;  // parameters
  bool repeatable;
  // nullptr, or what is wrong, to be completed to `"name" directive … in file:line`. `args`: as
  // many parameters as said; `prefix`: nginx's, with its final slash, for relative paths.
  const char* (*apply)(std::span<const std::string_view> args, std::string_view prefix,
                       Config& config);
};

// nullptr: there is none of that name.
const Directive* find_directive(std::string_view name);

// What follows when the whole block was read: defaults that depend on other values, and what must
// agree. The message completes `"…" `, as "needs a \"storage\""; `directive` is who is blamed.
struct Fault {
  const char* directive;
  const char* message;  // nullptr: nothing is wrong
};
Fault complete(Config& config, std::string_view prefix);

// The block as text that gives the same Config when it is read.
std::string to_text(const Config& config);

// "name" in the folder that has `path`.
std::string beside(const std::string& path, std::string_view name);
std::string parent_of(const std::string& path);

}  // namespace recording::config
