#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/bytes.hpp"
#include "media/pieces.hpp"
#include "media/track_config.hpp"
#include "transcode/flv_tag_writer.hpp"
#include "transcode/source_intake.hpp"

namespace recording::transcode {

// How a program reads a publisher's messages: FLV where it has a number for each codec, with which
// anything may change, else Matroska, for ffmpeg before 6.1 reads nothing else of Enhanced RTMP.
enum class Container { kFlv, kMatroska };

// A publisher's messages as a file for a program that reads it from a pipe, whichever way they were
// signalled. Media are copied once, however many renditions are made of them. It never waits: when
// the reader is too slow for kMostBytes or kMostMs, whole groups of pictures go, the oldest first,
// and reading goes on at a key frame, with what its decoder must know in front of it. Event loop
// only.
class Feed {
 public:
  static constexpr std::size_t kMostBytes = 16 << 20;
  static constexpr std::int64_t kMostMs = 10000;

  struct Dropped {
    std::uint64_t groups = 0;  // of pictures, or the rest of one; of sound alone: occasions
    std::uint64_t messages = 0;
  };

  // What SourceIntake made of `message`. What comes before the first open() is kept, for the reader
  // to begin with; what comes while a later one is waited for is kept since the last key frame.
  void add(const SourceMessage& taken, media::Pieces message);

  // How the next reader gets them: by what came last of each track.
  [[nodiscard]] Container container() const;
  // A new reader: a header, then media from a key frame on. What is of none of the tracks is left
  // out, now and later. `configs`: what is in force, by media::TrackKind; for Matroska.
  using Configs = std::array<const media::TrackConfig*, media::kTrackKinds>;
  void open(const FlvTracks& tracks, const Configs& configs = {});
  // Whether the reader can go on when this comes now of a track that it has.
  [[nodiscard]] bool fits(media::TrackKind kind, const media::TrackConfig& config) const;
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
  using Configuration = std::shared_ptr<const Bytes>;  // the record
  struct Tag {
    Bytes bytes;                     // the sample, with room around it for what the container wants
    std::size_t begin = 0, end = 0;  // what goes out of them; nothing as long as that is not known
    media::TagHeader header;
    media::TrackKind kind = media::TrackKind::kVideo;
    bool begins = false;  // a decoder can begin here
    std::int64_t ms = 0;
    Configuration configuration;  // in force; null: the codec has none
  };
  using Queue = std::deque<Tag>;

  void take_configuration(media::TrackKind kind, media::Codec codec, Bytes record);
  void put_header(const FlvTracks& tracks, const Configs& configs);
  void put_configuration(const Tag& tag);
  void frame(Tag& tag);
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
  std::array<bool, media::kTrackKinds> has_{};             // seen; from the first open() on, wanted
  std::array<media::Codec, media::kTrackKinds> codecs_{};  // of what came last
  Container container_ = Container::kFlv;                  // of the reader
  std::array<media::TrackConfig, media::kTrackKinds> read_configs_;  // that it was told
  Bytes framing_;                                                    // kept for its memory
  bool opened_ = false;                                              // once
  bool reading_ = false;
  bool waiting_for_start_ = false;  // nothing is kept until a key frame comes
  Dropped dropped_;
};

}  // namespace recording::transcode
