#include "webhook/signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/strings.hpp"

namespace recording::webhook {

std::string signature(std::string_view secret, std::string_view body) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const std::uint8_t*>(body.data()), body.size(), mac.data(),
           &size) == nullptr) {
    return "";
  }
  return "sha256=" + to_hex(ByteView(mac).first(size));
}

}  // namespace recording::webhook
