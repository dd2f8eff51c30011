#include "base/strings.hpp"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace recording {
namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

void fill_random(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      std::abort();  // without getrandom(2) a secret would be guessable
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

struct UtcTime {
  std::tm fields{};
  int ms = 0;
};

UtcTime utc(std::int64_t wall_ms) {
  std::int64_t seconds = wall_ms / 1000;
  std::int64_t ms = wall_ms % 1000;
  if (ms < 0) {
    ms += 1000;
    --seconds;
  }
  UtcTime time;
  time.ms = static_cast<int>(ms);
  const auto since_epoch = static_cast<std::time_t>(seconds);
  (void)::gmtime_r(&since_epoch, &time.fields);
  return time;
}

// The length of the well-formed character at `at` (RFC 3629, section 4), or 0. `bad` is then the
// length of the longest start of one, at least 1.
std::size_t utf8_length(std::string_view text, std::size_t at, std::size_t& bad) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  };
  const std::uint8_t lead = byte(at);
  bad = 1;
  if (lead < 0x80) {
    return 1;
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return 0;
  }
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // the second byte excludes longer forms than needed, surrogates, and what is above U+10FFFF
  const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(at + 1) < low || byte(at + 1) > high) {
    return 0;
  }
  for (bad = 2; bad < length; ++bad) {
    if ((byte(at + bad) & 0xC0) != 0x80) {
      return 0;
    }
  }
  return length;
}

// SHA-256 (FIPS 180-4): names come from publishers, who could construct two that collide in a
// weaker hash.
class Sha256 {
 public:
  static std::array<std::uint8_t, 32> of(std::string_view text) {
    Sha256 hash;
    Bytes padded(text.begin(), text.end());
    padded.push_back(0x80);
    padded.resize((padded.size() + 8 + 63) / 64 * 64 - 8, 0);
    put_u64(padded, std::uint64_t{text.size()} * 8);
    for (std::size_t at = 0; at < padded.size(); at += 64) {
      hash.block(ByteView(padded).subspan(at, 64));
    }
    std::array<std::uint8_t, 32> digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::uint8_t>(hash.state_[i / 4] >> (24 - i % 4 * 8));
    }
    return digest;
  }

 private:
  void block(ByteView bytes);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
};

constexpr std::array<std::uint32_t, 64> kSha256Constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void Sha256::block(ByteView bytes) {
  std::array<std::uint32_t, 64> w{};
  ByteReader in(bytes);
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = in.u32();
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kSha256Constants[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> added{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < added.size(); ++i) {
    state_[i] += added[i];
  }
}

bool is_kept(std::string_view name, std::size_t at) {
  const char c = name[at];
  const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-';
  return plain || (c == '.' && at > 0 && at + 1 < name.size());
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    hex += kLowerHex[byte >> 4];
    hex += kLowerHex[byte & 15];
  }
  return hex;
}

std::string random_id() {
  std::array<std::uint8_t, 16> bytes{};
  fill_random(bytes);
  return to_hex(bytes);
}

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> bytes{};
  fill_random(bytes);
  return ByteReader(bytes).u64();
}

std::string iso8601(std::int64_t wall_ms) {
  const UtcTime time = utc(wall_ms);
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    time.fields.tm_year + 1900, time.fields.tm_mon + 1, time.fields.tm_mday,
                    time.fields.tm_hour, time.fields.tm_min, time.fields.tm_sec, time.ms);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string iso_date(std::int64_t wall_ms) {
  const std::string text = iso8601(wall_ms);
  return text.substr(0, text.find('T'));
}

bool is_valid_utf8(std::string_view text) {
  std::size_t bad = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at, bad);
    if (length == 0) {
      return false;
    }
    at += length;
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string valid;
  valid.reserve(text.size());
  std::size_t bad = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at, bad);
    valid += length == 0 ? kReplacement : text.substr(at, length);
    at += length == 0 ? bad : length;
  }
  return valid;
}

std::string path_component(std::string_view name) {
  constexpr std::size_t kMax = 120;
  constexpr std::size_t kHashBytes = 16;
  // '%' comes before two hex digits in all that is encoded, so neither mark can come from a name.
  constexpr std::string_view kEmpty = "%";
  constexpr std::string_view kCut = "%_";
  constexpr std::size_t kRoom = kMax - kCut.size() - kHashBytes * 2;
  if (name.empty()) {
    return std::string(kEmpty);
  }
  std::string path;
  std::size_t fits = 0;  // how much is kept of a name that is too long
  for (std::size_t at = 0; at < name.size() && path.size() <= kMax; ++at) {
    const auto byte = static_cast<std::uint8_t>(name[at]);
    if (is_kept(name, at)) {
      path += name[at];
    } else {
      path += '%';
      path += kUpperHex[byte >> 4];
      path += kUpperHex[byte & 15];
    }
    fits = path.size() <= kRoom ? path.size() : fits;
  }
  if (path.size() <= kMax) {
    return path;
  }
  path.resize(fits);
  path += kCut;
  path += to_hex(ByteView(Sha256::of(name)).first(kHashBytes));
  return path;
}

std::string url_without_secrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == url.npos ? 0 : scheme + 3;
  const std::size_t at = url.substr(0, url.find('/', begin)).rfind('@');
  return at == url.npos || at < begin
             ? std::string(url)
             : std::string(url.substr(0, begin)) + std::string(url.substr(at + 1));
}

}  // namespace recording
