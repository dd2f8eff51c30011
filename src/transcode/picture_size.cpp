#include "transcode/picture_size.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace recording::transcode {
namespace {

// 4:2:0 has a colour for each two columns and lines. Downwards: never larger than the source.
std::uint32_t even_side(double side) {
  constexpr double kSmallestSide = 2;
  return 2 * static_cast<std::uint32_t>(std::floor(std::max(side, kSmallestSide) / 2));
}

}  // namespace

PictureSize even(PictureSize size) { return {even_side(size.width), even_side(size.height)}; }

PictureSize scaled(PictureSize size, int lines) {
  const double scale = static_cast<double>(lines) / std::min(size.width, size.height);
  return {even_side(std::round(size.width * scale)), even_side(std::round(size.height * scale))};
}

PictureShape shape_of(PictureSize size, std::uint32_t sar_num, std::uint32_t sar_den) {
  const std::uint64_t across = std::uint64_t{size.width} * sar_num;
  const std::uint64_t down = std::uint64_t{size.height} * sar_den;
  const std::uint64_t common = std::max<std::uint64_t>(std::gcd(across, down), 1);
  return {across / common, down / common};
}

std::int64_t most_bps(std::int64_t bps) {
  constexpr double kMostOverAverage = 1.1;
  return std::llround(static_cast<double>(bps) * kMostOverAverage);
}

// ITU-T H.264, table A-1, with cpbBrNalFactor of the High profile (A.3.3): what a decoder must
// manage. level_idc.
std::uint8_t avc_level(PictureSize size, double rate, std::int64_t most_bps) {
  struct Level {
    std::uint8_t idc;
    std::uint32_t blocks_per_second, blocks;
    std::int64_t kilobits;
  };
  static constexpr std::array<Level, 16> kLevels = {{{10, 1485, 99, 64},
                                                     {11, 3000, 396, 192},
                                                     {12, 6000, 396, 384},
                                                     {13, 11880, 396, 768},
                                                     {20, 11880, 396, 2000},
                                                     {21, 19800, 792, 4000},
                                                     {22, 20250, 1620, 4000},
                                                     {30, 40500, 1620, 10000},
                                                     {31, 108000, 3600, 14000},
                                                     {32, 216000, 5120, 20000},
                                                     {40, 245760, 8192, 20000},
                                                     {42, 522240, 8704, 50000},
                                                     {50, 589824, 22080, 135000},
                                                     {51, 983040, 36864, 240000},
                                                     {52, 2073600, 36864, 240000},
                                                     {62, 16711680, 139264, 800000}}};
  constexpr double kMoreInHigh = 1.25;
  const std::uint32_t columns = (size.width + 15) / 16, lines = (size.height + 15) / 16;
  const std::uint32_t blocks = columns * lines;
  for (const Level& level : kLevels) {
    const std::uint32_t longest = static_cast<std::uint32_t>(std::sqrt(level.blocks * 8.0));
    if (blocks <= level.blocks && blocks * rate <= level.blocks_per_second && columns <= longest &&
        lines <= longest &&
        static_cast<double>(most_bps) <= static_cast<double>(level.kilobits) * 1000 * kMoreInHigh) {
      return level.idc;
    }
  }
  return kLevels.back().idc;
}

// "dar" is the shape of what comes.
std::string letterbox(PictureSize size, PictureShape shape, const std::string& scale_options) {
  const std::string wide = std::to_string(shape.across), high = std::to_string(shape.down);
  const std::string width = std::to_string(size.width), height = std::to_string(size.height);
  return "scale=w='2*round(" + width + "/2*min(1,dar*" + high + "/" + wide + "))':h='2*round(" +
         height + "/2*min(1," + wide + "/" + high + "/dar))'" + scale_options +
         ",format=yuv420p,pad=" + width + ":" + height + ":-1:-1," + set_shape(shape);
}

std::string set_shape(PictureShape shape) {
  return "setdar=dar=" + std::to_string(shape.across) + "/" + std::to_string(shape.down) +
         ":max=" + std::to_string(std::numeric_limits<int>::max());
}

}  // namespace recording::transcode
