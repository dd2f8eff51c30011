#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rtmp_publisher {

enum class CloseKind : std::uint8_t {
  kGoodbye,  // FCUnpublish and deleteStream, then FIN
  kSilent,   // FIN alone
  kCut,      // FIN in the middle of a message
  kReset,    // RST: the server may lose what it had not read
};

enum class TrackOrder : std::uint8_t { kAsInFile, kAudioFirst, kVideoFirst };

enum class HostileKind : std::uint8_t { kGarbage, kTruncated, kEmpty, kHeader };

struct Hostile {
  HostileKind kind = HostileKind::kGarbage;
  bool audio = false;
  std::uint64_t every = 0;  // one before each N-th message of its track
};

struct TimedValue {
  double at_seconds = 0;  // of media
  double value = 0;
};

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 1935;
  std::string app = "live";
  std::string name = "stream{i}";  // raw bytes; {i} is the connection's number
  std::uint32_t connections = 1;
  double stagger_seconds = -1;  // between starts; < 0: spread over one frame
  bool eager = false;
  double timeout_seconds = 10;

  std::vector<std::string> files;
  double speed = 1;  // 0: flat out
  double duration_seconds = 0;
  std::uint64_t loops = 1;                // 0: without end
  std::uint64_t stop_after_messages = 0;  // audio and video, headers and hostile ones apart
  double hold_seconds = 0;
  CloseKind close = CloseKind::kGoodbye;

  std::vector<std::uint32_t> chunk_sizes{4096};  // more than one: taken in turn
  std::uint64_t chunk_every = 0;
  bool chunk_inside_message = false;

  std::uint32_t base_timestamp = 0;
  std::vector<TimedValue> jumps;          // value: ms added from there on
  std::vector<std::uint32_t> timestamps;  // of the first audio and video tags of each file
  std::vector<TimedValue> pauses;         // value: seconds without sending

  bool audio = true, video = true;
  bool headers = true, metadata = true;
  double audio_delay_seconds = 0, video_delay_seconds = 0;
  double repeat_headers_seconds = 0;
  TrackOrder order = TrackOrder::kAsInFile;
  std::vector<Hostile> hostile;
  std::uint32_t seed = 1;

  std::string log_path;
  bool events = false;
};

// False: `error` says what was wrong; empty when help was asked for.
bool parse_options(int argc, char** argv, Options& options, std::string& error);

extern const char* const kUsage;

}  // namespace rtmp_publisher
