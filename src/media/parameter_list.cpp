#include "media/parameter_list.hpp"

#include <algorithm>

#include "media/color_names.hpp"

namespace recording::media {
namespace {

using Value = ParameterValue;

// Empty, 0, negative: the configuration does not say.
Value text(std::string_view value) { return value.empty() ? Value() : Value(std::string(value)); }
Value not_negative(std::int32_t value) { return value < 0 ? Value() : Value(std::int64_t{value}); }
Value positive(std::uint32_t value) { return value != 0 ? Value(std::int64_t{value}) : Value(); }

Value frame_rate(std::uint32_t milli) { return milli == 0 ? Value() : Value(milli / 1000.0); }

std::string name_in_words(const std::string& field) {
  struct Name {
    std::string_view field, words;
  };
  static constexpr Name kNames[] = {{"video.pix_fmt", "pixel format"},
                                    {"video.color_range", "colour range"},
                                    {"video.color_primaries", "colour primaries"},
                                    {"video.color_transfer", "colour transfer"},
                                    {"video.color_space", "colour space"},
                                    {"video.has_b_frames", "reordered pictures"},
                                    {"video.frame_rate_declared", "declared frame rate"},
                                    {"audio.profile", "audio profile"},
                                    {"audio.codec", "audio codec"}};
  for (const Name& name : kNames) {
    if (name.field == field) {
      return std::string(name.words);
    }
  }
  std::string words = field.substr(field.find('.') + 1);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

}  // namespace

Parameters describe_video(const TrackConfig& config) {
  const SourceParameters& source = config.source;
  return {
      {"codec", std::string(codec_name(config.codec))},
      {"profile", text(source.profile)},
      {"level", not_negative(source.level)},
      {"width", positive(source.width)},
      {"height", positive(source.height)},
      {"sample_aspect_ratio",
       std::to_string(source.sar_num) + ":" + std::to_string(source.sar_den)},
      {"pix_fmt", text(source.pix_fmt)},
      {"color_range", text(color_range_name(source.color_range))},
      {"color_primaries", text(color_primaries_name(source.color_primaries))},
      {"color_transfer", text(color_transfer_name(source.color_transfer))},
      {"color_space", text(color_space_name(source.color_space))},
      {"bit_depth", positive(source.bit_depth)},
      {"interlaced", source.interlaced},
      {"has_b_frames", not_negative(source.has_b_frames)},
      {"frame_rate_declared", frame_rate(source.frame_rate_milli)},
  };
}

Parameters describe_audio(const TrackConfig& config) {
  return {{"codec", std::string(codec_name(config.codec))},
          {"profile", text(config.source.profile)},
          {"sample_rate", positive(config.source.sample_rate)},
          {"channels", positive(config.source.channels)}};
}

std::vector<ParameterChange> changes_between(TrackKind kind, const Parameters& before,
                                             const Parameters& after) {
  const std::string track = kind == TrackKind::kVideo ? "video." : "audio.";
  std::vector<ParameterChange> changes;
  for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
    if (before[i] != after[i]) {
      changes.push_back({track + std::string(before[i].name), before[i].value, after[i].value});
    }
  }
  return changes;
}

std::string value_in_words(const ParameterValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "yes" : "no";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    std::string text = std::to_string(*number);  // three places matter
    text.erase(text.find('.') + 4);
    while (text.back() == '0') {
      text.pop_back();
    }
    if (text.back() == '.') {
      text.pop_back();
    }
    return text;
  }
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : "not said";
}

std::string in_words(const std::vector<ParameterChange>& changes) {
  std::string words;
  for (const ParameterChange& change : changes) {
    words += (words.empty() ? "" : ", ") + name_in_words(change.field) + " " +
             value_in_words(change.from) + " → " + value_in_words(change.to);
  }
  return words;
}

}  // namespace recording::media
