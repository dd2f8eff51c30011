#include "processing/output_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "media/frame_rate.hpp"

namespace recording::processing {
namespace {

using transcode::PictureSize;

PictureSize size_of(const media::SourceParameters& source) { return {source.width, source.height}; }

double pictures_a_second(std::uint64_t pictures, std::int64_t ticks) {
  return static_cast<double>(pictures) * kTicks / static_cast<double>(ticks);
}

// Times are told in milliseconds: what is meant is a whole number, or that of NTSC beside it. Not
// known: neither is near.
media::FrameRate meant_rate(double measured) {
  constexpr double kMeasured = 0.002, kNtsc = 1000.0 / 1001;
  const double whole = std::max(std::round(measured), 1.0);
  const double ntsc = whole * kNtsc;
  const double nearest = std::abs(measured - ntsc) < std::abs(measured - whole) ? ntsc : whole;
  return std::abs(measured - nearest) < kMeasured * nearest ? media::frame_rate_from(nearest)
                                                            : media::FrameRate{};
}

struct PartRate {
  media::FrameRate rate;
  std::int64_t ticks = 0;  // in which it was measured
};

// That of most of the part: its average, but where pictures are missing or something stood still.
// From stretch to stretch, since how long a last picture is seen is a guess.
PartRate rate_of(const PicturePart& part) {
  const std::vector<PictureStretch>& stretches = part.stretches;
  std::vector<double> rates;
  PartRate whole;
  std::uint64_t pictures = 0;
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    const bool last = i + 1 == stretches.size();
    const std::int64_t lasts =
        (last ? stretches[i].end : stretches[i + 1].begin) - stretches[i].begin;
    if (lasts > 0 && (!last || stretches.size() == 1)) {
      rates.push_back(pictures_a_second(stretches[i].pictures, lasts));
      pictures += stretches[i].pictures;
      whole.ticks += lasts;
    }
  }
  if (rates.empty()) {
    return whole;
  }
  const auto middle = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2);
  std::nth_element(rates.begin(), middle, rates.end());
  constexpr double kAlike = 0.01;
  const double average = pictures_a_second(pictures, whole.ticks);
  const bool even = std::abs(average - *middle) < kAlike * *middle;
  for (const media::FrameRate rate :
       {even ? meant_rate(average) : media::FrameRate{}, meant_rate(*middle),
        media::frame_rate_from(even ? average : *middle)}) {
    if (!whole.rate.known()) {
      whole.rate = rate;
    }
  }
  return whole;
}

// The highest one, and whether there are others. What is only a small share of the recording, or
// too short to be measured, does not decide.
void plan_rate(const SourcePlan& source, OutputPlan& plan) {
  constexpr double kAlike = 0.02;
  constexpr std::int64_t kMeasurable = kTicks / 2, kLong = 3 * std::int64_t{kTicks}, kShare = 10;
  std::vector<PartRate> parts;
  std::int64_t all = 0;
  for (const PicturePart& part : source.pictures) {
    parts.push_back(rate_of(part));
    all += parts.back().ticks;
  }
  std::sort(parts.begin(), parts.end(),
            [](const PartRate& a, const PartRate& b) { return a.ticks > b.ticks; });
  double lowest = media::kHighestFrameRate, highest = 0;
  for (const PartRate& part : parts) {
    const bool counts =
        part.ticks >= kMeasurable && (part.ticks >= kLong || part.ticks * kShare >= all);
    if (!part.rate.known() || (!counts && plan.rate.known())) {
      continue;
    }
    const double rate = part.rate.per_second();
    lowest = std::min(lowest, rate);
    if (rate > highest) {
      highest = rate;
      plan.rate = part.rate;
    }
  }
  plan.constant_rate = plan.rate.known() && lowest < highest * (1 - kAlike);
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
  plan_rate(source, plan);
  for (std::size_t i = 0; i < renditions.size(); ++i) {
    OutputPlan::Pictures pictures;
    pictures.rendition = i;
    pictures.size = transcode::scaled(size_of(*largest), renditions[i].height);
    pictures.bps = renditions[i].video_bps;
    pictures.most_bps = transcode::most_bps(pictures.bps);
    pictures.level = transcode::avc_level(pictures.size, std::max(plan.rate.per_second(), 1.0),
                                          pictures.most_bps);
    plan.pictures.push_back(pictures);
  }
  std::stable_sort(plan.pictures.begin(), plan.pictures.end(), [](const auto& a, const auto& b) {
    return a.size.width * a.size.height > b.size.width * b.size.height;
  });
  return plan;
}

}  // namespace recording::processing
