#pragma once

#include <cstdint>

namespace recording::processing {

// Of all samples of a track, in decoding order: two that are equal had the same bytes at the same
// times. Finds mistakes and damage, not malice.
class SampleDigest {
 public:
  // `pts` in ticks of the track; `crc32` as of mp4/crc32.hpp.
  void add(std::int64_t pts, std::uint64_t size, std::uint32_t crc32) {
    ++samples_;
    mix(static_cast<std::uint64_t>(pts));
    mix(size << 32 | crc32);
  }

  [[nodiscard]] std::uint64_t samples() const { return samples_; }
  bool operator==(const SampleDigest&) const = default;

 private:
  // FNV-1a, a word at a time, with the upper half brought down.
  void mix(std::uint64_t word) {
    constexpr std::uint64_t kPrime = 0x100000001b3;
    value_ = (value_ ^ word) * kPrime;
    value_ ^= value_ >> 32;
  }

  std::uint64_t samples_ = 0, value_ = 0xcbf29ce484222325;
};

}  // namespace recording::processing
