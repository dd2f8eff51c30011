#pragma once

#include <string>
#include <string_view>

namespace recording::webhook {

// The value of X-Recording-Signature: "sha256=" and HMAC-SHA-256 (RFC 2104) of the body in
// lower-case hex. Empty when it cannot be computed.
std::string signature(std::string_view secret, std::string_view body);

}  // namespace recording::webhook
