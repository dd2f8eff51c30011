#include "exporter/video_path.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace recording::exporter {
namespace {

constexpr std::size_t kSlugSize = 32;
constexpr std::size_t kMaxQualityName = 32;
constexpr std::size_t kMaxAttachmentName = 255;
// With ".mp4" it stays below the 255 bytes that common file systems allow.
constexpr std::size_t kMaxSavedName = 200;

bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_attachment_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxAttachmentName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

// Takes `prefix` away from the front of `text`, if it is there.
bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

// screenshot-1.jpg and so on.
bool is_screenshot(std::string_view name) {
  constexpr std::size_t kMostDigits = 3;
  if (!consume(name, "screenshot-") || !name.ends_with(".jpg")) {
    return false;
  }
  name.remove_suffix(std::string_view(".jpg").size());
  return !name.empty() && name.size() <= kMostDigits && name.front() != '0' &&
         name.find_first_not_of("0123456789") == name.npos;
}

bool is_picture(std::string_view name) {
  return name == "poster.jpg" || name == "sprite.jpg" || name == "sprite.vtt" ||
         is_screenshot(name);
}

// Controls, and what some file system forbids.
bool forbidden_in_file_name(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f ||
         std::string_view("/\\:*?\"<>|").find(c) != std::string_view::npos;
}

std::string to_saved_name(std::string_view name) {
  std::string saved = to_valid_utf8(name);
  std::replace_if(saved.begin(), saved.end(), forbidden_in_file_name, '_');
  if (saved.size() > kMaxSavedName) {
    std::size_t size = kMaxSavedName;
    while (size > 0 && (static_cast<unsigned char>(saved[size]) & 0xc0) == 0x80) {
      --size;  // not in the middle of a character
    }
    saved.resize(size);
  }
  if (const std::size_t first = saved.find_first_not_of(". "); first != std::string::npos) {
    return saved.substr(first);
  }
  return "video";
}

// RFC 8187, 3.2.1: attr-char stays, all else is percent-encoded.
std::string to_ext_value(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "UTF-8''";
  for (const char c : text) {
    if (is_alnum(c) || std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace

bool is_slug(std::string_view text) {
  return text.size() == kSlugSize && std::all_of(text.begin(), text.end(), is_lower_hex);
}

bool is_quality_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxQualityName &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
}

std::optional<VideoPath> parse_video_path(std::string_view path) {
  VideoPath out;
  const std::string_view slug = path.substr(0, kSlugSize);
  if (!is_slug(slug)) {
    return std::nullopt;
  }
  out.slug = slug;
  path.remove_prefix(kSlugSize);
  if (path.empty()) {
    out.bytes = VideoBytes::kPage;
    return out;
  }
  if (!consume(path, "/")) {
    return std::nullopt;
  }
  if (path == "master.m3u8" || path == "chapters.vtt") {
    out.bytes = path.starts_with('m') ? VideoBytes::kMaster : VideoBytes::kChapters;
    return out;
  }
  if (is_picture(path)) {
    out.bytes = VideoBytes::kPicture;
    out.name = path;
    return out;
  }
  const std::string_view name = path.substr(0, path.find('.'));
  if (!is_quality_name(name)) {
    return std::nullopt;
  }
  out.name = name;
  path.remove_prefix(name.size());
  if (path == ".media" || path == kRawExtension || path == ".m3u8") {
    out.bytes = path == ".m3u8" ? VideoBytes::kPlaylist : VideoBytes::kRaw;
    return out;
  }
  if (!consume(path, ".mp4")) {
    return std::nullopt;
  }
  if (path.empty()) {
    return out;
  }
  if (!consume(path, "/download")) {
    return std::nullopt;
  }
  out.attachment = true;
  if (path.empty()) {
    return out;
  }
  if (!consume(path, "=") || !is_attachment_name(path)) {
    return std::nullopt;
  }
  out.attachment_name = path;
  return out;
}

std::string content_disposition(std::string_view name) {
  const std::string saved = to_saved_name(name) + ".mp4";
  std::string ascii = saved;
  // Old clients undo %XX in a plain filename: none is left for them (RFC 6266, appendix D).
  std::replace_if(
      ascii.begin(), ascii.end(),
      [](char c) { return static_cast<signed char>(c) < 0 || c == '%'; }, '_');
  std::string out = "attachment; filename=\"" + ascii + "\"";
  if (ascii != saved) {
    out += "; filename*=" + to_ext_value(saved);
  }
  return out;
}

}  // namespace recording::exporter
