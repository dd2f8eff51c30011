#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/bytes.hpp"
#include "media/pieces.hpp"
#include "transcode/flv_tag_writer.hpp"
#include "transcode/source_intake.hpp"

namespace recording::transcode {

// A publisher's messages as an FLV file (Adobe FLV 10.1, E.2 to E.4.3) for a program that reads it
// from a pipe: H.264, AAC and MP3, whichever way they were signalled. Media are copied once,
// however many renditions are made of them. It never waits: when the reader is too slow for
// kMostBytes or kMostMs, whole groups of pictures go, the oldest first, and reading goes on at a
// key frame, with what its decoder must know in front of it. Event loop only.
class FlvFeed {
 public:
  static constexpr std::size_t kMostBytes = 16 << 20;
  static constexpr std::int64_t kMostMs = 10000;

  struct Dropped {
    std::uint64_t groups = 0;  // of pictures, or the rest of one; of sound alone: occasions
    std::uint64_t messages = 0;
  };

  // What SourceIntake made of `message`. False: a sample of a wanted track, in a codec that cannot
  // be fed. What comes before the first open() is kept, for the reader to begin with; what comes
  // while a later one is waited for is kept since the last key frame.
  bool add(const SourceMessage& taken, media::Pieces message);

  // A new reader: an FLV header, then media from a key frame on. What is of none of the tracks is
  // left out, now and later.
  void open(const FlvTracks& tracks);
  // The reader is gone; what it had not read to its end is lost to it.
  void close();

  enum class Wrote {
    kAll,
    kBlocked,  // the pipe is full
    kBroken    // nobody reads from it any more
  };
  Wrote write(int fd);

  [[nodiscard]] bool empty() const { return tags_.empty() && head_.empty(); }
  [[nodiscard]] const Dropped& dropped() const { return dropped_; }

 private:
  using Configuration = std::shared_ptr<const Bytes>;  // the body of its tag
  struct Tag {
    Bytes bytes;
    media::TrackKind kind = media::TrackKind::kVideo;
    bool begins = false;  // a decoder can begin here
    std::int64_t ms = 0;
    Configuration configuration;  // in force; null: the codec has none
  };
  using Queue = std::deque<Tag>;

  void take_configuration(media::TrackKind kind, Bytes body);
  void push(Tag tag);
  void make_room();
  void keep_last_group();
  void drop(Queue::iterator from, Queue::iterator to);
  // The first tag that nobody has begun to read.
  [[nodiscard]] Queue::iterator first_unread() { return tags_.begin() + (written_ > 0 ? 1 : 0); }
  [[nodiscard]] bool& has(media::TrackKind kind);
  [[nodiscard]] bool is_full() const;
  Wrote write_head(int fd);
  Wrote write_tags(int fd);

  Queue tags_;
  std::size_t bytes_ = 0;    // of tags_
  std::size_t written_ = 0;  // of the first of them
  // What goes out before them: the file's header, and configurations that come into force.
  Bytes head_;
  std::array<Configuration, media::kTrackKinds> configurations_;  // the latest
  std::array<Configuration, media::kTrackKinds> sent_;            // what the reader has
  std::array<bool, media::kTrackKinds> has_{};  // seen; from the first open() on, wanted
  bool opened_ = false;                         // once
  bool reading_ = false;
  bool waiting_for_start_ = false;  // nothing is kept until a key frame comes
  Dropped dropped_;
};

}  // namespace recording::transcode
