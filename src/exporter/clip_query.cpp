#include "exporter/clip_query.hpp"

#include <charconv>
#include <limits>
#include <utility>

#include "base/url.hpp"

namespace recording::exporter {
namespace {

constexpr std::size_t kMostDigits = 9;  // of the seconds: 31 years
constexpr std::int64_t kMsInSecond = 1000;

Error bad(const char* why) { return {Errc::kInvalidArgument, why}; }

std::optional<std::int64_t> parse_digits(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool all = end == text.data() + text.size() && !text.starts_with('-');
  return error == std::errc() && all ? std::optional(value) : std::nullopt;
}

// Decimal seconds such as 12, 12.5 or .5 in milliseconds; further digits are dropped.
std::optional<std::int64_t> parse_seconds(std::string_view text) {
  const std::size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  const std::string_view part = point == text.npos ? "" : text.substr(point + 1);
  if ((whole.empty() && part.empty()) || whole.size() > kMostDigits ||
      part.find_first_not_of("0123456789") != part.npos) {
    return std::nullopt;
  }
  std::int64_t ms = 0;
  for (std::size_t i = 0, unit = 100; i < 3 && i < part.size(); ++i, unit /= 10) {
    ms += (part[i] - '0') * static_cast<std::int64_t>(unit);
  }
  const auto seconds = parse_digits(whole.empty() ? "0" : whole);
  return seconds ? std::optional(*seconds * kMsInSecond + ms) : std::nullopt;
}

}  // namespace

Result<std::optional<mp4::Clip>> parse_clip(std::string_view query) {
  const auto parameters = parse_query(query);
  if (!parameters) {
    return bad("the query is badly percent-encoded");
  }
  mp4::Clip clip;
  bool from = false, to = false;
  for (const auto& [name, value] : *parameters) {
    if (name == "epoch") {
      const auto number = parse_digits(value);
      if (clip.epoch || !number || *number > std::numeric_limits<std::uint32_t>::max()) {
        return bad("epoch is the number of one epoch, counted from 0");
      }
      clip.epoch = static_cast<std::uint32_t>(*number);
    } else if (name == "from" || name == "to") {
      bool& given = name == "from" ? from : to;
      const auto ms = parse_seconds(value);
      if (std::exchange(given, true) || !ms) {
        return bad("from and to are seconds such as 12.5, each at most once");
      }
      (name == "from" ? clip.from_ms : clip.to_ms) = *ms;
    }
  }
  if (clip.epoch && (from || to)) {
    return bad("either epoch or from and to can be given");
  }
  if (clip.from_ms >= clip.to_ms) {
    return bad("from must be less than to");
  }
  return clip.epoch || from || to ? std::optional(clip) : std::nullopt;
}

}  // namespace recording::exporter
