#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace recording::runtime {

// SipHash-2-4 (Aumasson and Bernstein, 2012). Names come from publishers: a weaker hash would let
// one of them choose two names that collide.
class SipHash {
 public:
  SipHash(std::uint64_t key0, std::uint64_t key1)
      : v0_(key0 ^ 0x736f6d6570736575u),
        v1_(key1 ^ 0x646f72616e646f6du),
        v2_(key0 ^ 0x6c7967656e657261u),
        v3_(key1 ^ 0x7465646279746573u) {}

  void add(std::uint8_t byte) {
    word_ |= std::uint64_t{byte} << (8 * (size_ % 8));
    if (++size_ % 8 == 0) {
      compress(word_);
      word_ = 0;
    }
  }
  void add(std::string_view text) {
    for (char c : text) {
      add(static_cast<std::uint8_t>(c));
    }
  }

  std::uint64_t finish() {
    compress(word_ | std::uint64_t{size_} << 56);  // the size modulo 256 is the last byte
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i) {
      round();
    }
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void compress(std::uint64_t word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t word_ = 0;
  std::uint64_t size_ = 0;
};

// A stream's name as 64 bits, different for ("ab", "c") and ("a", "bc"). The key is fixed: every
// process and every build has to find the same lock file for the same name.
inline std::uint64_t hash_stream_name(std::string_view app, std::string_view name,
                                      std::uint64_t key) {
  SipHash hash(key, 0x7265636f7264696eu);
  hash.add(static_cast<std::uint8_t>(app.size() & 0xff));
  hash.add(static_cast<std::uint8_t>(app.size() >> 8));
  hash.add(app);
  hash.add(name);
  return hash.finish();
}

}  // namespace recording::runtime
