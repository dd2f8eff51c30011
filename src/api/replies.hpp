#pragma once

#include <string>
#include <string_view>

#include "api/api.hpp"
#include "api/json.hpp"
#include "base/result.hpp"

namespace recording::api {

Response reply(int status, const Json& json);
Response no_content();
Response failure(int status, std::string_view code, std::string_view message);

// The one table of errors. A message "code: sentence" gives the code itself; the status follows
// from the code where the table names it, else from the Errc.
Response failure(const Error& error);
// For what the catalogue said: everything that is no fault of the caller's is 503.
Response catalog_failure(const Error& error);

}  // namespace recording::api
