#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "transcode/picture_size.hpp"

namespace recording::processing {

// A sheet of small pictures, as players show them above their timeline. Every picture stands for
// the same time; the longer the video the longer that is, so that a sheet has at most kMostTiles.
// Times in ms.
struct SpritePlan {
  static constexpr int kMostTiles = 100, kColumns = 10;
  static constexpr std::uint32_t kLongerSide = 160;

  std::int64_t interval_ms = 0;
  int tiles = 0;  // 0: there is nothing to show
  transcode::PictureSize tile, sheet;

  // When the picture of a tile should be seen.
  [[nodiscard]] std::int64_t middle_ms(int i) const { return i * interval_ms + interval_ms / 2; }
};
SpritePlan plan_sprite(std::int64_t duration_ms, transcode::PictureShape shape);

// A picture of planes of 8 bits 4:2:0 in full range, one plane behind the other.
struct Planes {
  transcode::PictureSize size;
  Bytes bytes;

  explicit Planes(transcode::PictureSize of);  // black
  [[nodiscard]] static std::size_t bytes_of(transcode::PictureSize size) {
    return std::size_t{size.width} * size.height * 3 / 2;
  }
  // Puts one in at `column`, `line`, even numbers; it must fit.
  void put(const Planes& picture, std::uint32_t column, std::uint32_t line);
  // How much there is to see: 0 for a picture of one brightness.
  [[nodiscard]] double contrast() const;
};

// Where tile `i` is in the sheet.
transcode::PictureSize tile_offset(const SpritePlan& plan, int i);

// WebVTT with a cue for each tile: "sprite.jpg#xywh=160,0,160,90".
std::string sprite_vtt(const SpritePlan& plan, std::int64_t duration_ms);

}  // namespace recording::processing
