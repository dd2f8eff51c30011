#pragma once

#include <string>
#include <string_view>

namespace recording::api {

// What the console is told: where the API and the files are, seen from its page, and with what the
// API's links begin (they may name a host that the browser does not use). Prefixes are those of
// locations, decoded: "/streaming/"; without a location of files both of these are null.
std::string console_config(std::string_view console_prefix, std::string_view api_prefix,
                           std::string_view files_prefix, const std::string& links_begin);

}  // namespace recording::api
