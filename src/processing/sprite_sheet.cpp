#include "processing/sprite_sheet.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace recording::processing {
namespace {

std::string vtt_time(std::int64_t ms) {
  char text[40];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld.%03lld",
                static_cast<long long>(ms / 3'600'000), static_cast<long long>(ms / 60'000 % 60),
                static_cast<long long>(ms / 1000 % 60), static_cast<long long>(ms % 1000));
  return text;
}

}  // namespace

SpritePlan plan_sprite(std::int64_t duration_ms, transcode::PictureShape shape) {
  constexpr std::int64_t kShortestMs = 1000;
  SpritePlan plan;
  if (duration_ms <= 0) {
    return plan;
  }
  const std::int64_t even_share =
      (duration_ms + SpritePlan::kMostTiles - 1) / SpritePlan::kMostTiles;
  plan.interval_ms = (std::max(even_share, kShortestMs) + 999) / 1000 * 1000;
  plan.tiles = static_cast<int>((duration_ms + plan.interval_ms - 1) / plan.interval_ms);
  const double across = static_cast<double>(shape.across), down = static_cast<double>(shape.down);
  const double scale = SpritePlan::kLongerSide / std::max(across, down);
  plan.tile = transcode::even({static_cast<std::uint32_t>(std::lround(across * scale)),
                               static_cast<std::uint32_t>(std::lround(down * scale))});
  const auto columns = static_cast<std::uint32_t>(std::min(plan.tiles, SpritePlan::kColumns));
  const auto lines = static_cast<std::uint32_t>((plan.tiles - 1) / SpritePlan::kColumns + 1);
  plan.sheet = {plan.tile.width * columns, plan.tile.height * lines};
  return plan;
}

transcode::PictureSize tile_offset(const SpritePlan& plan, int i) {
  return {static_cast<std::uint32_t>(i % SpritePlan::kColumns) * plan.tile.width,
          static_cast<std::uint32_t>(i / SpritePlan::kColumns) * plan.tile.height};
}

Planes::Planes(transcode::PictureSize of) : size(of), bytes(bytes_of(of), 128) {
  std::fill_n(bytes.begin(), std::size_t{of.width} * of.height, std::uint8_t{0});
}

void Planes::put(const Planes& picture, std::uint32_t column, std::uint32_t line) {
  std::size_t to = 0, from = 0;
  for (const std::uint32_t step : {1U, 2U, 2U}) {
    const std::size_t width = picture.size.width / step, stride = size.width / step;
    for (std::size_t y = 0; y < picture.size.height / step; ++y) {
      std::copy_n(picture.bytes.begin() + static_cast<std::ptrdiff_t>(from + y * width), width,
                  bytes.begin() +
                      static_cast<std::ptrdiff_t>(to + (line / step + y) * stride + column / step));
    }
    from += width * (picture.size.height / step);
    to += stride * (size.height / step);
  }
}

double Planes::contrast() const {
  const std::size_t count = std::size_t{size.width} * size.height;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += bytes[i];
    squares += double{1} * bytes[i] * bytes[i];
  }
  const double mean = sum / static_cast<double>(count);
  return squares / static_cast<double>(count) - mean * mean;
}

std::string sprite_vtt(const SpritePlan& plan, std::int64_t duration_ms) {
  std::string text = "WEBVTT\n";
  for (int i = 0; i < plan.tiles; ++i) {
    const std::int64_t begin = i * plan.interval_ms;
    const std::int64_t end = std::min(begin + plan.interval_ms, duration_ms);
    const auto [x, y] = tile_offset(plan, i);
    text += "\n" + vtt_time(begin) + " --> " + vtt_time(end) +
            "\nsprite.jpg#xywh=" + std::to_string(x) + "," + std::to_string(y) + "," +
            std::to_string(plan.tile.width) + "," + std::to_string(plan.tile.height) + "\n";
  }
  return text;
}

}  // namespace recording::processing
