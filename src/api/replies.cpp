#include "api/replies.hpp"

#include <utility>

namespace recording::api {

namespace {

struct Row {
  int status;
  std::string_view code;
};

Row row_of(Errc errc) {
  switch (errc) {
    case Errc::kInvalidArgument:
      return {400, "bad_request"};
    case Errc::kNotFound:
      return {404, "not_found"};
    case Errc::kConflict:
      return {409, "conflict"};
    case Errc::kNoSpace:
      return {422, "no_space"};
    case Errc::kIo:
      return {503, "io_error"};
    case Errc::kCorrupt:
      return {503, "corrupt"};
    case Errc::kUnavailable:
      return {503, "unavailable"};
    case Errc::kInternal:
      break;
  }
  return {500, "internal_error"};
}

// "stream_not_live: nobody publishes" -> its two parts. A code has an underscore, so that a plain
// sentence with a colon is not taken for one.
std::pair<std::string_view, std::string_view> split_code(std::string_view message) {
  const std::size_t colon = message.find(": ");
  const std::string_view code = message.substr(0, colon);
  if (colon == std::string_view::npos || code.find('_') == std::string_view::npos ||
      code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string_view::npos) {
    return {{}, message};
  }
  return {code, message.substr(colon + 2)};
}

}  // namespace

Response reply(int status, const Json& json) {
  Response response;
  response.status = status;
  response.body = to_text(json);
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

Response failure(int status, std::string_view code, std::string_view message) {
  return reply(status,
               {{"error", {{"code", std::string(code)}, {"message", std::string(message)}}}});
}

Response failure(const Error& error) {
  const Row row = row_of(error.code);
  const auto [code, sentence] = split_code(error.message);
  return failure(row.status, code.empty() ? row.code : code, sentence);
}

Response catalog_failure(const Error& error) {
  switch (error.code) {
    case Errc::kInvalidArgument:
    case Errc::kNotFound:
    case Errc::kConflict:
      return failure(error);
    case Errc::kIo:
    case Errc::kNoSpace:
    case Errc::kCorrupt:
    case Errc::kUnavailable:
    case Errc::kInternal:
      break;
  }
  return failure(503, "catalog_unavailable", error.message);
}

}  // namespace recording::api
