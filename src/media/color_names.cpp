#include "media/color_names.hpp"

#include <array>
#include <span>

namespace recording::media {
namespace {

// ITU-T H.264, table E-3 (and H.273, 8.1)
constexpr std::array<std::string_view, 13> kPrimaries = {
    "reserved",  "bt709", "",       "reserved", "bt470m",   "bt470bg", "smpte170m",
    "smpte240m", "film",  "bt2020", "smpte428", "smpte431", "smpte432"};
// Table E-4 (and H.273, 8.2)
constexpr std::array<std::string_view, 19> kTransfers = {
    "reserved",  "bt709",     "",          "reserved", "bt470m",       "bt470bg", "smpte170m",
    "smpte240m", "linear",    "log100",    "log316",   "iec61966-2-4", "bt1361e", "iec61966-2-1",
    "bt2020-10", "bt2020-12", "smpte2084", "smpte428", "arib-std-b67"};
// Table E-5 (and H.273, 8.3)
constexpr std::array<std::string_view, 15> kMatrices = {"gbr",
                                                        "bt709",
                                                        "",
                                                        "reserved",
                                                        "fcc",
                                                        "bt470bg",
                                                        "smpte170m",
                                                        "smpte240m",
                                                        "ycgco",
                                                        "bt2020nc",
                                                        "bt2020c",
                                                        "smpte2085",
                                                        "chroma-derived-nc",
                                                        "chroma-derived-c",
                                                        "ictcp"};

std::string_view named(std::span<const std::string_view> names, std::uint8_t code) {
  return code < names.size() ? names[code] : std::string_view();
}

}  // namespace

std::string_view color_primaries_name(std::uint8_t code) {
  constexpr std::uint8_t kEbu3213 = 22;
  return code == kEbu3213 ? "ebu3213" : named(kPrimaries, code);
}

std::string_view color_transfer_name(std::uint8_t code) { return named(kTransfers, code); }
std::string_view color_space_name(std::uint8_t code) { return named(kMatrices, code); }

std::string_view color_range_name(ColorRange range) {
  return range == ColorRange::kNotSaid ? "" : range == ColorRange::kFull ? "pc" : "tv";
}

}  // namespace recording::media
