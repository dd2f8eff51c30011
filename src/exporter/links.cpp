#include "exporter/links.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "base/url.hpp"
#include "exporter/video_path.hpp"

namespace recording::exporter {
namespace {

// base64url (RFC 4648, 5) of the MD5, without padding; empty: OpenSSL has no MD5 here, and no link
// is good.
std::string signature(std::string_view uri, std::string_view expires, const std::string& secret) {
  std::string text(expires);
  text += uri;
  text += ' ';
  text += secret;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) {
    return {};
  }
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  std::string out(encoded.data(), encoded.data() + length);
  for (char& c : out) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  out.erase(out.find_last_not_of('=') + 1);
  return out;
}

// Of a live stream, which may be called anything, its two playlists alone.
bool is_played(std::string_view before, std::string_view file) {
  if (file == "master.m3u8" || file == "manifest.mpd") {
    return true;
  }
  const bool of_video = is_slug(before.substr(before.rfind('/') + 1));
  return of_video && (file.ends_with(".m3u8") || file.ends_with(".media") ||
                      file.ends_with(".m4s") || file.ends_with(".vtt") || file.ends_with(".jpg"));
}

// Playback is one thing: who may see the page may load what it plays and shows.
std::string_view signed_part(std::string_view uri) {
  if (const std::size_t slash = uri.rfind('/');
      slash != uri.npos && is_played(uri.substr(0, slash), uri.substr(slash + 1))) {
    return uri.substr(0, slash);
  }
  constexpr std::string_view kFile = ".mp4", kAttachment = ".mp4/download";
  const std::size_t at = uri.rfind(kAttachment);
  if (at == uri.npos) {
    return uri;
  }
  const std::string_view rest = uri.substr(at + kAttachment.size());
  return rest.empty() || rest.front() == '=' ? uri.substr(0, at + kFile.size()) : uri;
}

}  // namespace

std::string Links::to(const std::string& path, const std::string& query) const {
  return make(path, query, &signed_part);
}

std::string Links::to_picture(const std::string& path) const {
  return make(path, secret_.empty() ? "" : "only=1", [](std::string_view uri) { return uri; });
}

std::string Links::make(const std::string& path, const std::string& query,
                        std::string_view (*signed_of)(std::string_view uri)) const {
  if (base_url_.empty()) {
    return {};
  }
  std::string url = base_url_ + path;
  char separator = '?';
  if (!query.empty()) {
    url += separator + query;
    separator = '&';
  }
  if (!secret_.empty()) {
    const std::string expires = std::to_string(expires_s_);
    const std::string uri = uri_ + percent_decode(path).value_or(path);
    url += separator + ("md5=" + signature(signed_of(uri), expires, secret_));
    url += "&expires=" + expires;
  }
  return url;
}

LinkCheck check_link(const LinkArguments& link, const std::string& secret, std::int64_t now_s) {
  const auto until = parse_integer(link.expires);
  const std::string_view uri = link.only == "1" ? link.uri : signed_part(link.uri);
  const std::string right = signature(uri, link.expires, secret);
  std::string_view md5 = link.md5;
  while (md5.ends_with('=')) {
    md5.remove_suffix(1);
  }
  if (!until || right.empty() || md5.size() != right.size() ||
      CRYPTO_memcmp(md5.data(), right.data(), right.size()) != 0) {
    return LinkCheck::kWrong;
  }
  return *until < now_s ? LinkCheck::kExpired : LinkCheck::kGood;
}

}  // namespace recording::exporter
