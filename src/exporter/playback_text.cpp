#include "exporter/playback_text.hpp"

#include <algorithm>
#include <cstdio>

#include "base/strings.hpp"
#include "media/stream_inf.hpp"

namespace recording::exporter {
namespace {

constexpr std::int64_t kUsInSecond = 1'000'000;
constexpr std::int64_t kMsInSecond = 1000;
// MAP in a playlist of more than I-frames needs 6, fMP4 as such 7 (RFC 8216, 7).
constexpr const char* kFront = "#EXTM3U\n#EXT-X-VERSION:7\n";
constexpr const char* kIndependent = "#EXT-X-INDEPENDENT-SEGMENTS\n";

bool is_independent(const HlsIndex& index) {
  return std::all_of(index.segments.begin(), index.segments.end(),
                     [](const HlsSegment& segment) { return segment.begins_with_key; });
}

std::string with_query(const std::string& uri, const std::string& query) {
  return query.empty() ? uri : uri + "?" + query;
}

// hls.js takes maps of one URI for the same one when it reads a growing playlist again, whatever
// their byte ranges are: each has a URI of its own, which names the same bytes.
std::string map_uri(const std::string& uri, const std::string& query, std::uint32_t map) {
  return with_query(uri, query + (query.empty() ? "map=" : "&map=") + std::to_string(map));
}

std::string byte_range(std::uint64_t offset, std::uint64_t size) {
  return std::to_string(size) + "@" + std::to_string(offset);
}

std::string seconds(std::int64_t us) {
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(us / kUsInSecond),
                static_cast<long long>(us % kUsInSecond));
  return text;
}

// A growing playlist must keep the one that it began with; only a fragment longer than that, which
// takes a setting, cannot.
std::int64_t target_seconds(const HlsIndex& index) {
  std::int64_t most = kHlsTargetSeconds;
  for (const HlsSegment& segment : index.segments) {
    most = std::max(most, (segment.duration_us + kUsInSecond / 2) / kUsInSecond);
  }
  return most;
}

std::string vtt_time(std::int64_t us) {
  const auto ms = static_cast<long long>(us / 1000);
  char text[48];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld.%03lld", ms / 3'600'000, ms / 60'000 % 60,
                ms / kMsInSecond % 60, ms % kMsInSecond);
  return text;
}

std::string chapter_title(const HlsInterruption& interruption) {
  std::int64_t missing_ms = interruption.lost_ms;
  if (interruption.began_wall_ms != 0 && interruption.ended_wall_ms > interruption.began_wall_ms) {
    missing_ms = interruption.ended_wall_ms - interruption.began_wall_ms;
  }
  std::string title = "After an interruption";
  if (const std::int64_t rounded_s = (missing_ms + kMsInSecond / 2) / kMsInSecond; rounded_s > 0) {
    title += " of " + std::to_string(rounded_s) + " s";
  }
  const bool is_word = std::all_of(interruption.reason.begin(), interruption.reason.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  if (is_word && !interruption.reason.empty()) {
    title += " (" + interruption.reason + ")";
    std::replace(title.begin(), title.end(), '_', ' ');
  }
  return title;
}

}  // namespace

std::string media_playlist(const HlsIndex& index, const std::string& uri,
                           const std::string& query) {
  const std::string target = with_query(uri, query);
  std::string text = kFront;
  text += "#EXT-X-TARGETDURATION:" + std::to_string(target_seconds(index)) +
          "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n";
  if (is_independent(index)) {
    text += kIndependent;
  }
  constexpr std::size_t kAboutALine = 64;
  text.reserve(text.size() + index.segments.size() * (target.size() + kAboutALine));
  for (std::size_t i = 0; i < index.segments.size(); ++i) {
    const HlsSegment& segment = index.segments[i];
    if (segment.discontinuity) {
      text += "#EXT-X-DISCONTINUITY\n";
    }
    if ((i == 0 || segment.map != index.segments[i - 1].map) && segment.map < index.maps.size()) {
      const HlsMap& map = index.maps[segment.map];
      text += "#EXT-X-MAP:URI=\"" + map_uri(uri, query, segment.map) + "\",BYTERANGE=\"" +
              byte_range(map.offset, map.size) + "\"\n";
    }
    if ((i == 0 || segment.discontinuity) && segment.wall_ms != 0) {
      text += "#EXT-X-PROGRAM-DATE-TIME:" + iso8601(segment.wall_ms) + "\n";
    }
    text += "#EXTINF:" + seconds(segment.duration_us) +
            ",\n#EXT-X-BYTERANGE:" + byte_range(segment.offset, segment.size) + "\n" + target +
            "\n";
  }
  if (index.finished) {
    text += "#EXT-X-ENDLIST\n";
  }
  return text;
}

std::string multivariant_playlist(const std::vector<HlsVariant>& variants,
                                  const std::string& query) {
  std::string text = kFront;
  if (std::all_of(variants.begin(), variants.end(),
                  [](const HlsVariant& variant) { return is_independent(variant.index); })) {
    text += kIndependent;
  }
  for (const HlsVariant& variant : variants) {
    media::StreamInf out;
    out.most_bps = variant.index.most_bps();
    out.average_bps = variant.index.average_bps();
    for (const std::string& codec : variant.index.codecs) {
      out.codecs += (out.codecs.empty() ? "" : ",") + codec;
    }
    out.width = variant.index.width;
    out.height = variant.index.height;
    out.frame_rate = variant.index.frame_rate;
    out.uri = with_query(variant.name + ".m3u8", query);
    text += media::to_text(out);
  }
  return text;
}

std::string chapters_vtt(const HlsIndex& index) {
  std::string text = "WEBVTT\n";
  if (index.interruptions.empty()) {
    return text;
  }
  std::int64_t begin_us = 0;
  std::string title = "Beginning";
  const auto end_chapter = [&](std::int64_t end_us) {
    text += "\n" + vtt_time(begin_us) + " --> " + vtt_time(std::max(end_us, begin_us + 1000)) +
            "\n" + title + "\n";
  };
  for (const HlsInterruption& interruption : index.interruptions) {
    end_chapter(interruption.at_us);
    begin_us = interruption.at_us;
    title = chapter_title(interruption);
  }
  end_chapter(index.duration_us);
  return text;
}

std::string clean_query(std::string_view query) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : query) {
    const bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      std::string_view("-._~%!$&'()*+,;=:@/?").find(c) != std::string_view::npos;
    if (fits) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace recording::exporter
