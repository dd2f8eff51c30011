#include "processing/missing_parts.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace recording::processing {

std::string clock_text(std::int64_t ticks) {
  const long long s = std::max<std::int64_t>(ticks, 0) / kTicks;
  char text[32];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

void MissingParts::add_picture(const PicturePart& part, std::int64_t at) {
  decoded_.resize(part.stretches.size());
  auto after = std::upper_bound(
      part.stretches.begin(), part.stretches.end(), at,
      [](std::int64_t time, const PictureStretch& stretch) { return time < stretch.begin; });
  if (after != part.stretches.begin()) {
    ++decoded_[static_cast<std::size_t>(after - part.stretches.begin()) - 1];
  }
}

// A picture or two may be lost where it was damaged in transmission, which a viewer sees in the
// source as well: a stretch is missing when most of it is.
void MissingParts::end_part(const PicturePart& part, const std::string& why) {
  decoded_.resize(part.stretches.size());
  for (std::size_t i = 0; i < part.stretches.size(); ++i) {
    const PictureStretch& stretch = part.stretches[i];
    if (decoded_[i] * 2 < stretch.pictures) {
      add({stretch.begin, stretch.end, false, why});
    }
  }
  decoded_.clear();
}

void MissingParts::add_silence(std::int64_t begin, std::int64_t end, const std::string& why) {
  add({begin, end, true, why});
}

void MissingParts::add(Hole hole) {
  constexpr std::int64_t kNext = kTicks;
  if (!holes_.empty() && holes_.back().sound == hole.sound && holes_.back().why == hole.why &&
      hole.begin - holes_.back().end < kNext) {
    holes_.back().end = hole.end;
  } else {
    holes_.push_back(std::move(hole));
  }
}

std::string MissingParts::text() const {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(holes_.size(), kMost); ++i) {
    const Hole& hole = holes_[i];
    text += (text.empty() ? "" : "; ") + clock_text(hole.begin) + "\u2013" +
            clock_text(hole.end + kTicks - 1) + " could not be decoded" +
            (hole.sound ? " (sound)" : "") + (hole.why.empty() ? "" : ": " + hole.why);
  }
  if (holes_.size() > kMost) {
    text += "; and " + std::to_string(holes_.size() - kMost) + " more";
  }
  return text;
}

}  // namespace recording::processing
