#include "transcode/session_playlist.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace recording::transcode {
namespace {

// The muxer counts from here on; so does a playlist without EXT-X-MEDIA-SEQUENCE in the end.
constexpr std::uint64_t kFirstNumber = 1;

struct Segment {
  std::string map;              // URI of its EXT-X-MAP
  std::string text;             // its tags, and its own URI
  std::uint64_t discontinuity;  // RFC 8216, 4.3.3.3
};

struct Playlist {
  std::uint64_t target = 0;  // s
  std::uint64_t number = kFirstNumber;
  std::uint64_t discontinuity = 0;  // of the last segment
  std::vector<Segment> segments;

  [[nodiscard]] std::uint64_t end() const { return number + segments.size(); }
};

bool take_number(std::string_view line, std::string_view tag, std::uint64_t& value) {
  if (!line.starts_with(tag)) {
    return false;
  }
  std::from_chars(line.data() + tag.size(), line.data() + line.size(), value);
  return true;
}

// `prefix` goes in front of every URI.
Playlist parse(std::string_view text, const std::string& prefix) {
  constexpr std::string_view kMap = "#EXT-X-MAP:URI=\"";
  Playlist out;
  std::string map, tags;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    if (line.starts_with(kMap)) {
      const std::string_view rest = line.substr(kMap.size());
      map = prefix + std::string(rest.substr(0, rest.find('"')));
    } else if (line == "#EXT-X-DISCONTINUITY") {
      ++out.discontinuity;
    } else if (line.starts_with("#EXTINF:") || line.starts_with("#EXT-X-PROGRAM-DATE-TIME:")) {
      tags += std::string(line) + "\n";
    } else if (!line.empty() && line[0] != '#') {
      out.segments.push_back({map, tags + prefix + std::string(line) + "\n", out.discontinuity});
      tags.clear();
    } else if (!take_number(line, "#EXT-X-TARGETDURATION:", out.target) &&
               !take_number(line, "#EXT-X-MEDIA-SEQUENCE:", out.number)) {
      take_number(line, "#EXT-X-DISCONTINUITY-SEQUENCE:", out.discontinuity);
    }
  }
  return out;
}

// Numbers only grow: what goes from the front is still counted (RFC 8216, 6.2.2).
void drop(Playlist& playlist, std::size_t count) {
  playlist.segments.erase(playlist.segments.begin(),
                          playlist.segments.begin() + static_cast<std::ptrdiff_t>(count));
  playlist.number += count;
}

Playlist joined(Playlist before, Playlist own) {
  const std::uint64_t fallen = own.number - kFirstNumber;  // out of its list
  own.number += before.end() - kFirstNumber;
  own.discontinuity = before.discontinuity + 1;
  own.target = std::max(own.target, before.target);
  for (Segment& segment : own.segments) {
    segment.discontinuity = own.discontinuity;
  }
  if (fallen == 0) {
    own.number = before.number;
    own.segments.insert(own.segments.begin(), std::make_move_iterator(before.segments.begin()),
                        std::make_move_iterator(before.segments.end()));
  }
  return own;
}

// From the front on: an older run's files go first.
std::size_t count_gone(const Playlist& playlist, const IsThere& is_there) {
  std::map<std::string, bool> known;  // a map for each run
  std::size_t gone = 0;
  for (std::size_t i = 0; i < playlist.segments.size(); ++i) {
    const std::string& map = playlist.segments[i].map;
    if (!known.contains(map)) {
      known[map] = is_there(map);
    }
    gone = known[map] ? gone : i + 1;
  }
  return gone;
}

std::string to_text(const Playlist& playlist, bool over) {
  const auto& segments = playlist.segments;
  std::uint64_t discontinuity =
      segments.empty() ? playlist.discontinuity : segments.front().discontinuity;
  std::string text =
      "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:" + std::to_string(playlist.target) +
      "\n#EXT-X-MEDIA-SEQUENCE:" + std::to_string(playlist.number) + "\n";
  if (discontinuity > 0) {
    text += "#EXT-X-DISCONTINUITY-SEQUENCE:" + std::to_string(discontinuity) + "\n";
  }
  std::string_view map;
  for (const Segment& segment : segments) {
    for (; discontinuity < segment.discontinuity; ++discontinuity) {
      text += "#EXT-X-DISCONTINUITY\n";
    }
    if (map != segment.map) {
      map = segment.map;
      text += "#EXT-X-MAP:URI=\"" + segment.map + "\"\n";
    }
    text += segment.text;
  }
  return text + (over ? "#EXT-X-ENDLIST\n" : "");
}

}  // namespace

std::string session_playlist(std::string_view before, std::string_view own, std::string_view run,
                             bool over, const IsThere& is_there) {
  Playlist all = parse(own, std::string(run) + "/");
  if (!before.empty()) {
    all = joined(parse(before, ""), std::move(all));
  }
  drop(all, count_gone(all, is_there));
  drop(all, all.segments.size() - std::min(all.segments.size(), kListedSegments));
  return to_text(all, over);
}

}  // namespace recording::transcode
