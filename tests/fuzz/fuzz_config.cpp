#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/config_file.hpp"
#include "config/directives.hpp"

// Whatever is in a file that recording-worker is given. What is accepted can be handed over: as
// text it gives the same configuration again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const config::Includes includes = [&](const std::string&) {
    return Result<std::vector<config::SourceText>>(
        std::vector<config::SourceText>{{"included", "min_free 1m; events { }"}});
  };
  auto config = config::parse_config({"fuzz", text}, "/prefix/", includes);
  if (!config) {
    return 0;
  }
  const std::string shown = config::to_text(config.value());
  auto again = config::parse_config({"again", shown}, "", includes);
  if (!again || config::to_text(again.value()) != shown) {
    std::abort();
  }
  return 0;
}
