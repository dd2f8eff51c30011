#include "processing/output_plan.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "media/frame_rate.hpp"

namespace recording::processing {
namespace {

using transcode::PictureSize;

PictureSize size_of(const media::SourceParameters& source) { return {source.width, source.height}; }

// Pictures a second, of the part that has most of them: what a decoder must manage.
double highest_rate(const SourcePlan& source) {
  double highest = 1;
  for (const PicturePart& part : source.pictures) {
    std::int64_t ticks = 0;
    std::uint64_t pictures = 0;
    for (const PictureStretch& stretch : part.stretches) {
      ticks += stretch.end - stretch.begin;
      pictures += stretch.pictures;
    }
    if (ticks > 0) {
      highest =
          std::max(highest, static_cast<double>(pictures) * kTicks / static_cast<double>(ticks));
    }
  }
  return std::min(highest, media::kHighestFrameRate);
}

// Those of the largest picture that says any: what says none is taken for the same.
Colours common_colours(const SourcePlan& source) {
  const media::SourceParameters* said = nullptr;
  for (const PicturePart& part : source.pictures) {
    const media::SourceParameters& one = part.config.source;
    if ((!matrix_option(one.color_space).empty() || is_high_range(one.color_transfer)) &&
        (said == nullptr || one.width * one.height > said->width * said->height)) {
      said = &one;
    }
  }
  if (said == nullptr) {
    return {};
  }
  constexpr std::uint8_t kBt709 = 1;
  return is_high_range(said->color_transfer)
             ? Colours{kBt709, kBt709, kBt709}
             : Colours{said->color_primaries, said->color_transfer, said->color_space};
}

// A rate that AAC has, and no more than people hear.
std::uint32_t aac_rate(std::uint32_t rate) {
  constexpr std::array<std::uint32_t, 9> kRates = {8000,  11025, 12000, 16000, 22050,
                                                   24000, 32000, 44100, 48000};
  const auto* enough = std::lower_bound(kRates.begin(), kRates.end(), rate);
  return enough == kRates.end() ? kRates.back() : *enough;
}

void plan_sounds(const SourcePlan& source, const std::vector<transcode::RenditionSetting>& wanted,
                 OutputPlan& plan) {
  constexpr std::uint16_t kMostChannels = 2;
  for (const SourcePart& part : source.sounds) {
    plan.sample_rate = std::max(plan.sample_rate, aac_rate(part.config.source.sample_rate));
    plan.channels = std::clamp<std::uint16_t>(
        part.config.source.channels, std::max<std::uint16_t>(plan.channels, 1), kMostChannels);
  }
  for (const transcode::RenditionSetting& setting : wanted) {
    const auto same = std::find(plan.sound_bps.begin(), plan.sound_bps.end(), setting.audio_bps);
    plan.sounds_of.push_back(static_cast<std::size_t>(same - plan.sound_bps.begin()));
    if (same == plan.sound_bps.end()) {
      plan.sound_bps.push_back(setting.audio_bps);
    }
  }
}

}  // namespace

bool is_high_range(std::uint8_t transfer) {
  constexpr std::uint8_t kPq = 16, kHlg = 18;
  return transfer == kPq || transfer == kHlg;
}

std::string matrix_option(std::uint8_t matrix) {
  switch (matrix) {
    case 1:
      return "bt709";
    case 4:
      return "fcc";
    case 5:
    case 6:
      return "bt601";
    case 7:
      return "smpte240m";
    case 9:
    case 10:
      return "bt2020";
    default:
      return {};
  }
}

const media::SourceParameters* largest_picture(const SourcePlan& source) {
  const auto largest = std::max_element(
      source.pictures.begin(), source.pictures.end(), [](const auto& a, const auto& b) {
        const media::SourceParameters &x = a.config.source, &y = b.config.source;
        return std::uint64_t{x.width} * x.height < std::uint64_t{y.width} * y.height;
      });
  return largest == source.pictures.end() ? nullptr : &largest->config.source;
}

bool fits(const SourcePlan& source, const transcode::RenditionSetting& rendition) {
  const media::SourceParameters* largest = largest_picture(source);
  return largest == nullptr ||
         rendition.height <= static_cast<int>(std::min(largest->width, largest->height));
}

OutputPlan plan_output(const SourcePlan& source,
                       const std::vector<transcode::RenditionSetting>& renditions) {
  OutputPlan plan;
  if (!source.sounds.empty()) {
    plan_sounds(source, renditions, plan);
  }
  const media::SourceParameters* largest = largest_picture(source);
  if (largest == nullptr) {
    return plan;
  }
  plan.shape = transcode::shape_of(size_of(*largest), largest->sar_num, largest->sar_den);
  plan.colours = common_colours(source);
  const double rate = highest_rate(source);
  plan.rate = media::frame_rate_from(rate);
  for (std::size_t i = 0; i < renditions.size(); ++i) {
    OutputPlan::Pictures pictures;
    pictures.rendition = i;
    pictures.size = transcode::scaled(size_of(*largest), renditions[i].height);
    pictures.bps = renditions[i].video_bps;
    pictures.most_bps = transcode::most_bps(pictures.bps);
    pictures.level = transcode::avc_level(pictures.size, rate, pictures.most_bps);
    plan.pictures.push_back(pictures);
  }
  std::stable_sort(plan.pictures.begin(), plan.pictures.end(), [](const auto& a, const auto& b) {
    return a.size.width * a.size.height > b.size.width * b.size.height;
  });
  return plan;
}

}  // namespace recording::processing
