#include "mp4/crc32.hpp"

#include <array>

namespace recording::mp4 {
namespace {

// kTables[k][b]: what byte b does to the CRC when k more bytes follow it ("slicing by 8").
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
    }
    tables[0][i] = value;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t i = 0; i < 256; ++i) {
      tables[k][i] = tables[0][tables[k - 1][i] & 0xFFU] ^ (tables[k - 1][i] >> 8);
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32(ByteView bytes, std::uint32_t before) {
  std::uint32_t value = ~before;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint32_t next = 0;
    for (std::uint32_t k = 0; k < 8; ++k) {
      const std::uint32_t mask = k < 4 ? value >> (8 * k) & 0xFFU : 0;
      next ^= kTables[7 - k][bytes[k] ^ mask];
    }
    value = next;
  }
  for (std::uint8_t byte : bytes) {
    value = kTables[0][(value ^ byte) & 0xFFU] ^ (value >> 8);
  }
  return ~value;
}

}  // namespace recording::mp4
