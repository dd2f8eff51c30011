#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "flv_file.hpp"
#include "options.hpp"

namespace rtmp_publisher {

// The files' messages in the order they are sent, once; shared by all connections.
struct Playlist {
  struct Item {
    Kind kind = Kind::kMetadata;
    std::uint64_t position = 0;  // ms from the start of the pass
    ByteView body;
    std::uint64_t hash = 0;
    bool first_pass_only = false;
    std::optional<std::uint32_t> timestamp = {};  // to be sent instead of the position
  };
  std::vector<Item> items;
  std::uint64_t period = 0;  // ms of one pass

  // False: `error` says which file cannot be used.
  static bool make(const Options& options, Playlist& playlist, std::string& error);
};

struct Message {
  Kind kind = Kind::kMetadata;
  std::uint64_t position = 0;   // ms of media since the start, never wraps: decides when it is due
  std::uint32_t timestamp = 0;  // as sent
  ByteView body;                // into the playlist, or `owned`
  std::uint64_t hash = 0;
  Bytes owned;

  Message() = default;
  Message(Message&&) = default;  // a moved vector keeps its bytes where they are
  Message& operator=(Message&&) = default;
};

// What one connection sends: the playlist, looped, cut, delayed, and mixed with hostile messages.
class MessageSource {
 public:
  MessageSource(const Options& options, const Playlist& playlist);

  // nullptr: the end.
  const Message* peek();
  void pop();

  // The longest message there is, for --close cut.
  [[nodiscard]] ByteView long_body() const;

 private:
  void prepare();
  bool wanted(const Playlist::Item& item, std::uint64_t position) const;
  bool over(std::uint64_t position) const;
  void add(const Playlist::Item& item, std::uint64_t position);
  void add_headers_before(const Playlist::Item& item, std::uint64_t position);
  void add_hostile(const Playlist::Item& item, std::uint64_t position);
  std::uint32_t timestamp_at(std::uint64_t position) const;

  const Options& options_;
  const Playlist& playlist_;
  std::size_t index_ = 0;
  std::uint64_t loop_ = 0;
  std::uint64_t media_messages_ = 0;
  std::array<std::uint64_t, 2> track_messages_{};  // video, audio
  std::uint64_t hostile_messages_ = 0;
  std::uint64_t next_repeat_ = 0;  // ms
  bool ended_ = false;
  std::minstd_rand random_;
  const Playlist::Item* audio_header_ = nullptr;  // the latest one passed
  const Playlist::Item* video_header_ = nullptr;
  bool audio_header_sent_ = false;
  bool video_header_sent_ = false;
  std::deque<Message> ready_;
};

}  // namespace rtmp_publisher
