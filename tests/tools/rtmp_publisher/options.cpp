#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string_view>

namespace rtmp_publisher {

const char* const kUsage = R"(rtmp-publisher --flv FILE [options]: publishes FLV files over RTMP.

where to
  --host ADDRESS         127.0.0.1 (IPv4)      --port PORT  1935      --app APP  live
  --name NAME            stream{i}; {i} becomes the connection's number; without {i} all share it
  --name-hex HEX, --name-file FILE   the name as raw bytes, taken as they are
  -n, --connections N    1
  --stagger SECONDS      between the connections' first messages; default: spread over one frame
  --eager                send media without waiting for the answer to publish
  --timeout SECONDS      10: for each answer of the server, and for a send that does not move

what
  --flv FILE             repeatable: one after the other, each with its own sequence headers
  --loops N              1; 0: without end. Timestamps continue, headers of a single file do not repeat
  --duration SECONDS     of media
  --stop-after-messages N   of each connection; headers and hostile messages do not count
  --speed FACTOR         1; real time times this            --flat-out  as fast as the server takes it
  --pause AT:SECONDS     repeatable: send nothing for that long (timestamps go on; see --jump)
  --hold SECONDS         stay connected after the last message
  --close goodbye|silent|cut|reset   FCUnpublish+deleteStream | FIN | FIN in mid-message | RST

wire
  --chunk-size N[,N…]    4096; several: taken in turn      --chunk-every MESSAGES  how often
  --chunk-inside-message the change comes between two chunks of one message
  --base-timestamp MS    of the first message (wraps at 2^32)
  --jump AT:MS           repeatable: adds MS (may be negative) from that second on
  --timestamps FILE      numbers: what to send instead of the timestamps of the file's audio and video
                         tags, headers included, in its order; when they are sent stays as it is

which messages
  --audio-only, --video-only, --no-sequence-headers, --no-metadata
  --audio-delay SECONDS, --video-delay SECONDS   leave the track out until then
  --repeat-headers SECONDS   send the sequence headers again, this often
  --track-order audio-first|video-first   inside every 100 ms
  --hostile KIND-TRACK=N     repeatable: before each N-th message of the track an extra one: garbage |
                         truncated | empty | header (a cut sequence header): garbage-video=50
  --seed N               of garbage

report (JSON lines on stdout: one a connection, then a summary; exit 0 when all were accepted and
none was closed by the server, 1 otherwise, 2 for a wrong command line)
  --log FILE             each audio/video message wholly given to the kernel:
                         connection kind timestamp size fnv1a64
  --events               accepted, pause, done as they happen
)";

namespace {

using Setter = std::function<bool(std::string_view)>;

template <class Number>
Setter number(Number& target, double low, double high) {
  return [&target, low, high](std::string_view text) {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
      return false;
    }
    target = static_cast<Number>(value);
    return true;
  };
}

Setter text(std::string& target) {
  return [&target](std::string_view value) {
    target = value;
    return true;
  };
}

Setter timed(std::vector<TimedValue>& target) {
  return [&target](std::string_view value) {
    const std::size_t colon = value.find(':');
    TimedValue entry;
    if (colon == std::string_view::npos ||
        !number(entry.at_seconds, 0, 1e9)(value.substr(0, colon)) ||
        !number(entry.value, -5e9, 5e9)(value.substr(colon + 1))) {
      return false;
    }
    target.push_back(entry);
    return true;
  };
}

template <class Value>
Setter choice(Value& target, std::map<std::string_view, Value> values) {
  return [&target, values = std::move(values)](std::string_view value) {
    const auto found = values.find(value);
    if (found == values.end()) {
      return false;
    }
    target = found->second;
    return true;
  };
}

bool parse_hex(std::string_view hex, std::string& bytes) {
  bytes.clear();
  if (hex.size() % 2 != 0) {
    return false;
  }
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    unsigned byte = 0;
    const char* end = hex.data() + at + 2;
    if (std::from_chars(hex.data() + at, end, byte, 16).ptr != end) {
      return false;
    }
    bytes += static_cast<char>(byte);
  }
  return true;
}

bool read_whole(std::string_view path, std::string& bytes) {
  std::ifstream file{std::string(path), std::ios::binary};
  bytes.assign(std::istreambuf_iterator<char>(file), {});
  return static_cast<bool>(file) || file.eof();
}

bool read_numbers(std::string_view path, std::vector<std::uint32_t>& numbers) {
  std::ifstream file{std::string(path)};
  numbers.assign(std::istream_iterator<std::uint32_t>(file), {});
  return file.eof();
}

bool parse_chunk_sizes(std::string_view list, std::vector<std::uint32_t>& sizes) {
  sizes.clear();
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::uint32_t size = 0;
    if (!number(size, 1, 0xFFFFFF)(list.substr(0, comma))) {
      return false;
    }
    sizes.push_back(size);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return !sizes.empty();
}

bool parse_hostile(std::string_view value, std::vector<Hostile>& list) {
  const std::size_t dash = value.find('-');
  const std::size_t equals = value.find('=');
  if (dash == std::string_view::npos || equals == std::string_view::npos || dash > equals) {
    return false;
  }
  Hostile hostile;
  const std::string_view track = value.substr(dash + 1, equals - dash - 1);
  hostile.audio = track == "audio";
  const auto kind = choice<HostileKind>(hostile.kind, {{"garbage", HostileKind::kGarbage},
                                                       {"truncated", HostileKind::kTruncated},
                                                       {"empty", HostileKind::kEmpty},
                                                       {"header", HostileKind::kHeader}});
  if ((!hostile.audio && track != "video") || !kind(value.substr(0, dash)) ||
      !number(hostile.every, 1, 1e9)(value.substr(equals + 1))) {
    return false;
  }
  list.push_back(hostile);
  return true;
}

void add_options_with_value(Options& o, std::map<std::string_view, Setter>& table) {
  table["--host"] = text(o.host);
  table["--port"] = number(o.port, 1, 65535);
  table["--app"] = text(o.app);
  table["--name"] = text(o.name);
  table["--name-hex"] = [&o](std::string_view hex) { return parse_hex(hex, o.name); };
  table["--name-file"] = [&o](std::string_view path) { return read_whole(path, o.name); };
  table["-n"] = table["--connections"] = number(o.connections, 1, 10000);
  table["--stagger"] = number(o.stagger_seconds, 0, 3600);
  table["--timeout"] = number(o.timeout_seconds, 0.01, 1e6);
  table["--flv"] = [&o](std::string_view path) {
    o.files.emplace_back(path);
    return true;
  };
  table["--loops"] = number(o.loops, 0, 1e9);
  table["--duration"] = number(o.duration_seconds, 0, 1e9);
  table["--stop-after-messages"] = number(o.stop_after_messages, 1, 1e15);
  table["--speed"] = number(o.speed, 1e-3, 1e6);
  table["--pause"] = timed(o.pauses);
  table["--hold"] = number(o.hold_seconds, 0, 1e6);
  table["--close"] = choice<CloseKind>(o.close, {{"goodbye", CloseKind::kGoodbye},
                                                 {"silent", CloseKind::kSilent},
                                                 {"cut", CloseKind::kCut},
                                                 {"reset", CloseKind::kReset}});
  table["--chunk-size"] = [&o](std::string_view v) { return parse_chunk_sizes(v, o.chunk_sizes); };
  table["--chunk-every"] = number(o.chunk_every, 1, 1e9);
  table["--base-timestamp"] = number(o.base_timestamp, 0, 4294967295.0);
  table["--jump"] = timed(o.jumps);
  table["--timestamps"] = [&o](std::string_view path) { return read_numbers(path, o.timestamps); };
  table["--audio-delay"] = number(o.audio_delay_seconds, 0, 1e6);
  table["--video-delay"] = number(o.video_delay_seconds, 0, 1e6);
  table["--repeat-headers"] = number(o.repeat_headers_seconds, 0.001, 1e6);
  table["--track-order"] = choice<TrackOrder>(o.order, {{"audio-first", TrackOrder::kAudioFirst},
                                                        {"video-first", TrackOrder::kVideoFirst}});
  table["--hostile"] = [&o](std::string_view value) { return parse_hostile(value, o.hostile); };
  table["--seed"] = number(o.seed, 0, 4294967295.0);
  table["--log"] = text(o.log_path);
}

std::map<std::string_view, std::function<void()>> make_flags(Options& o) {
  return {{"--eager", [&o] { o.eager = true; }},
          {"--flat-out", [&o] { o.speed = 0; }},
          {"--chunk-inside-message", [&o] { o.chunk_inside_message = true; }},
          {"--audio-only", [&o] { o.video = false; }},
          {"--video-only", [&o] { o.audio = false; }},
          {"--no-sequence-headers", [&o] { o.headers = false; }},
          {"--no-metadata", [&o] { o.metadata = false; }},
          {"--events", [&o] { o.events = true; }}};
}

}  // namespace

bool parse_options(int argc, char** argv, Options& options, std::string& error) {
  std::map<std::string_view, Setter> with_value;
  add_options_with_value(options, with_value);
  const auto flags = make_flags(options);
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "-h" || name == "--help") {
      return false;
    }
    if (const auto flag = flags.find(name); flag != flags.end()) {
      flag->second();
      continue;
    }
    const auto setter = with_value.find(name);
    if (setter == with_value.end()) {
      error = "unknown option " + std::string(name);
      return false;
    }
    if (i + 1 == argc || !setter->second(argv[i + 1])) {
      error = "bad value of " + std::string(name);
      return false;
    }
    ++i;
  }
  if (options.chunk_sizes.size() > 1 && options.chunk_every == 0) {
    options.chunk_every = 1;
  }
  if (options.files.empty()) {
    error = "--flv is missing";
    return false;
  }
  return true;
}

}  // namespace rtmp_publisher
