// What a client sends to the API: path, query and body, separated by line feeds.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/json.hpp"
#include "api/request_fields.hpp"
#include "api/routes.hpp"
#include "base/url.hpp"
#include "fuzz/require.hpp"

namespace {

using namespace recording;

void check_path(std::string_view path) {
  auto target = api::parse_target(path);
  if (!target) {
    return;
  }
  const auto& found = target.value();
  require(!api::allowed_methods(found.pattern).empty());
  if (found.pattern.starts_with("/streams/") && !found.id) {
    require(!found.app.empty() && !found.name.empty());
    // The name survives the way into a link and back.
    auto again = api::parse_target("streams/" + percent_encode(found.app) + "/" +
                                   percent_encode(found.name) + "/start_recording");
    require(again && again.value().app == found.app && again.value().name == found.name);
  }
}

void check_query(std::string_view query) {
  if (auto list = api::parse_video_list(query)) {
    require(list.value().page.per_page >= 1 && list.value().page.per_page <= 100);
    require(list.value().page.offset() >= 0);
    require(list.value().filter.ids.size() <= 1000);
  }
  (void)api::parse_page(query);
  (void)api::parse_fields(query);
}

void check_body(std::string_view body) {
  if (auto json = api::parse_object(body)) {
    require(!api::to_text(json.value()).empty());
  }
  if (auto row = api::parse_new_stream(body, "live")) {
    require(!row.value().name.empty() && row.value().name.size() <= 255);
    require(row.value().name.find('\0') == std::string::npos);
    require(!row.value().app.empty() && row.value().app.size() <= 255);
  }
  if (auto patch = api::parse_video_change(body)) {
    require(!patch.value().name || !patch.value().name->empty());
  }
  (void)api::parse_stream_change(body);
  (void)api::to_text(api::Json(std::string(body)));  // any bytes can be shown
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto first = input.find('\n');
  const auto second = first == std::string_view::npos ? first : input.find('\n', first + 1);
  check_path(input.substr(0, first));
  if (first != std::string_view::npos) {
    check_query(input.substr(first + 1, second - first - 1));
  }
  if (second != std::string_view::npos) {
    check_body(input.substr(second + 1));
  }
  return 0;
}
