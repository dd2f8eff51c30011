#pragma once

#include <cstdint>

namespace recording::mp4 {

// ISO/IEC 14496-12, 8.8.7 tfhd and 8.8.8 trun: which fields are there.
inline constexpr std::uint32_t kTfhdDefaultDuration = 0x000008;
inline constexpr std::uint32_t kTfhdDefaultBaseIsMoof = 0x020000;
inline constexpr std::uint32_t kTrunDataOffset = 0x000001;
inline constexpr std::uint32_t kTrunFirstFlags = 0x000004;
inline constexpr std::uint32_t kTrunDuration = 0x000100;
inline constexpr std::uint32_t kTrunSize = 0x000200;
inline constexpr std::uint32_t kTrunFlags = 0x000400;
inline constexpr std::uint32_t kTrunCts = 0x000800;

}  // namespace recording::mp4
