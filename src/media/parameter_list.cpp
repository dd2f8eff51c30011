#include "media/parameter_list.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace recording::media {
namespace {

using Value = ParameterValue;

// Empty, 0, negative: the configuration does not say.
Value text(const std::string& value) { return value.empty() ? Value() : Value(value); }
Value not_negative(std::int32_t value) { return value < 0 ? Value() : Value(std::int64_t{value}); }
Value positive(std::uint32_t value) { return value != 0 ? Value(std::int64_t{value}) : Value(); }

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

// Nothing for 2, "unspecified", and for what no table has.
Value named(std::span<const std::string_view> names, std::uint8_t index) {
  return index < names.size() && !names[index].empty() ? Value(std::string(names[index])) : Value();
}

Value colour_primaries(std::uint8_t index) {
  constexpr std::uint8_t kEbu3213 = 22;
  return index == kEbu3213 ? Value(std::string("ebu3213")) : named(kPrimaries, index);
}

Value colour_range(ColorRange range) {
  return range == ColorRange::kNotSaid
             ? Value()
             : Value(std::string(range == ColorRange::kFull ? "pc" : "tv"));
}

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

std::string value_in_words(const Value& value) {
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
      {"color_range", colour_range(source.color_range)},
      {"color_primaries", colour_primaries(source.color_primaries)},
      {"color_transfer", named(kTransfers, source.color_transfer)},
      {"color_space", named(kMatrices, source.color_space)},
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

std::string in_words(const std::vector<ParameterChange>& changes) {
  std::string words;
  for (const ParameterChange& change : changes) {
    words += (words.empty() ? "" : ", ") + name_in_words(change.field) + " " +
             value_in_words(change.from) + " → " + value_in_words(change.to);
  }
  return words;
}

}  // namespace recording::media
