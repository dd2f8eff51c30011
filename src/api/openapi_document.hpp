#pragma once

#include <string_view>

namespace recording::api {

// docs/openapi.json, made part of the program when it is built (tools/embed_file.cmake).
std::string_view openapi_document();

}  // namespace recording::api
