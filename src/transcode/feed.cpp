#include "transcode/feed.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "transcode/flv_tag_writer.hpp"
#include "transcode/matroska_writer.hpp"

namespace recording::transcode {
namespace {

using media::Codec;
using media::TrackKind;

// How many tags one writev(2) takes at most.
constexpr std::size_t kMostPieces = 64;

// In front of a sample and behind it, whatever the container.
constexpr std::size_t kHeadroom = 32, kTailroom = kTagSizeSize;
static_assert(kHeadroom >= kMostBlockHeader && kHeadroom >= kTagHeaderSize + kMostMediaHeader);

}  // namespace

bool& Feed::has(TrackKind kind) { return has_[index_of(kind)]; }

// What is half read stays, however old it is.
bool Feed::is_full() const {
  const std::size_t first = written_ > 0 ? 1 : 0;
  return tags_.size() > first &&
         (bytes_ > kMostBytes || tags_.back().ms - tags_[first].ms > kMostMs);
}

void Feed::add(const SourceMessage& taken, media::Pieces message) {
  const media::TagHeader& tag = taken.tag;
  const bool configuration = tag.kind == media::TagKind::kSequenceHeader;
  if ((!taken.decodable && !configuration) || (opened_ && !has(taken.kind))) {
    return;
  }
  media::PieceReader in(message);
  in.skip(tag.header_size);
  if (configuration) {
    Bytes record;
    in.copy(tag.payload_size, record);
    return take_configuration(taken.kind, tag.codec, std::move(record));
  }
  has(taken.kind) = true;
  codecs_[index_of(taken.kind)] = tag.codec;
  const ByteView sets = taken.sets.insert;
  const auto before_sets = sets.empty() ? 0 : taken.sets.at;
  Tag made;
  made.bytes.reserve(kHeadroom + tag.payload_size + sets.size() + kTailroom);
  made.bytes.resize(kHeadroom);
  in.copy(before_sets, made.bytes);
  put_bytes(made.bytes, sets);
  in.copy(tag.payload_size - before_sets, made.bytes);
  made.bytes.resize(made.bytes.size() + kTailroom);
  made.header = tag;
  made.kind = taken.kind;
  made.begins = !has(TrackKind::kVideo) || (taken.kind == TrackKind::kVideo && tag.key);
  made.ms = taken.ms;
  made.configuration = tag.codec == Codec::kMp3 ? nullptr : configurations_[index_of(taken.kind)];
  push(std::move(made));
}

void Feed::take_configuration(TrackKind kind, Codec codec, Bytes record) {
  codecs_[index_of(kind)] = codec;
  Configuration& known = configurations_[index_of(kind)];
  if (known == nullptr || *known != record) {  // encoders repeat it
    known = std::make_shared<const Bytes>(std::move(record));
  }
}

Container Feed::container() const {
  const auto has_number = [](Codec codec) { return codec == Codec::kNone || flv_has(codec); };
  return std::all_of(codecs_.begin(), codecs_.end(), has_number) ? Container::kFlv
                                                                 : Container::kMatroska;
}

// FLV says again what a track is; of Matroska a decoder finds in its key frames what has changed.
bool Feed::fits(TrackKind kind, const media::TrackConfig& config) const {
  if (!reading_ || !has_[index_of(kind)]) {
    return true;
  }
  const media::TrackConfig& known = read_configs_[index_of(kind)];
  return container_ == Container::kFlv
             ? flv_has(config.codec)
             : config.codec == known.codec &&
                   (kind == TrackKind::kVideo || config.same_source(known));
}

void Feed::push(Tag tag) {
  if (waiting_for_start_ && !tag.begins) {
    ++dropped_.messages;
    return;
  }
  waiting_for_start_ = false;
  if (opened_ && !reading_ && tag.begins) {
    drop(tags_.begin(), tags_.end());  // nobody waits for what is older
  }
  bytes_ += tag.bytes.size();
  tags_.push_back(std::move(tag));
  if (is_full()) {
    make_room();
  }
}

void Feed::drop(Queue::iterator from, Queue::iterator to) {
  if (from == to) {
    return;
  }
  const bool pictures = has(TrackKind::kVideo);
  dropped_.groups += pictures && from->begins ? 0 : 1;  // the rest of one
  dropped_.messages += static_cast<std::uint64_t>(to - from);
  for (auto tag = from; tag != to; ++tag) {
    bytes_ -= tag->bytes.size();
    dropped_.groups += pictures && tag->begins ? 1 : 0;
  }
  tags_.erase(from, to);
}

void Feed::keep_last_group() {
  const auto first = first_unread();
  auto start = tags_.end();
  while (start != first && !std::prev(start)->begins) {
    --start;
  }
  if (start == first) {
    drop(first, tags_.end());  // it began before
    waiting_for_start_ = true;
  } else {
    drop(first, std::prev(start));
  }
}

void Feed::make_room() {
  if (!has(TrackKind::kVideo)) {
    // Of sound alone a decoder begins anywhere: the newer half stays.
    const auto first = first_unread();
    return drop(first, first + (tags_.end() - first) / 2);
  }
  keep_last_group();
  if (is_full()) {  // that one alone is more than may be kept
    drop(first_unread(), tags_.end());
    waiting_for_start_ = true;
  }
}

void Feed::open(const FlvTracks& tracks, const Configs& configs) {
  has(TrackKind::kVideo) = tracks.video;
  has(TrackKind::kAudio) = tracks.audio;
  for (const TrackKind kind : {TrackKind::kVideo, TrackKind::kAudio}) {
    codecs_[index_of(kind)] = has(kind) ? codecs_[index_of(kind)] : Codec::kNone;
  }
  opened_ = true;
  reading_ = true;
  sent_ = {};
  container_ = container();
  std::erase_if(tags_, [&](const Tag& tag) {
    return !has(tag.kind) ||
           (container_ == Container::kMatroska && tag.header.codec != codecs_[index_of(tag.kind)]);
  });
  for (Tag& tag : tags_) {
    tag.begin = tag.end = 0;
    tag.begins = !tracks.video || (tag.begins && tag.kind == TrackKind::kVideo);
  }
  const auto start =
      std::find_if(tags_.begin(), tags_.end(), [](const Tag& tag) { return tag.begins; });
  waiting_for_start_ = start == tags_.end();
  tags_.erase(tags_.begin(), start);
  bytes_ = 0;
  for (const Tag& tag : tags_) {
    bytes_ += tag.bytes.size();
  }
  head_.clear();
  put_header(tracks, configs);
}

void Feed::put_header(const FlvTracks& tracks, const Configs& configs) {
  if (container_ == Container::kFlv) {
    return put_file_header(head_, tracks);
  }
  std::array<MatroskaTrack, media::kTrackKinds> described;
  for (const TrackKind kind : {TrackKind::kVideo, TrackKind::kAudio}) {
    const std::size_t i = index_of(kind);
    if (has(kind) && configs[i] != nullptr) {
      read_configs_[i] = *configs[i];
      described[i].config = configs[i];
      described[i].record = configurations_[i] != nullptr ? *configurations_[i] : ByteView();
    }
  }
  put_matroska_header(head_, described, tracks.frame_rate);
}

void Feed::put_configuration(const Tag& tag) {
  const Bytes& record = *tag.configuration;
  framing_.clear();
  put_media_header(framing_, tag.header, true);
  const std::size_t body = framing_.size() + record.size();
  put_tag_header(head_, tag.kind, tag.ms, body);
  put_bytes(head_, framing_);
  put_bytes(head_, record);
  put_tag_size(head_, body);
}

// What the container wants around a sample, into the room there.
void Feed::frame(Tag& tag) {
  const std::size_t size = tag.bytes.size() - kHeadroom - kTailroom;
  framing_.clear();
  tag.end = kHeadroom + size;
  if (container_ == Container::kFlv) {
    Bytes header;
    put_media_header(header, tag.header, false);
    put_tag_header(framing_, tag.kind, tag.ms, header.size() + size);
    put_bytes(framing_, header);
    Bytes behind;
    put_tag_size(behind, header.size() + size);
    std::copy(behind.begin(), behind.end(), tag.bytes.end() - kTailroom);
    tag.end += kTailroom;
  } else {
    put_block_header(framing_, tag.kind, std::max<std::int64_t>(tag.ms + tag.header.cts_ms, 0),
                     tag.header.key || tag.kind == TrackKind::kAudio, size);
  }
  tag.begin = kHeadroom - framing_.size();
  std::copy(framing_.begin(), framing_.end(),
            tag.bytes.begin() + static_cast<std::ptrdiff_t>(tag.begin));
}

void Feed::close() {
  reading_ = false;
  head_.clear();
  if (written_ > 0) {
    bytes_ -= tags_.front().bytes.size();
    tags_.pop_front();
    written_ = 0;
  }
  keep_last_group();
}

Feed::Wrote Feed::write_head(int fd) {
  while (!head_.empty()) {
    const ssize_t done = ::write(fd, head_.data(), head_.size());
    if (done < 0 && errno != EINTR) {
      return errno == EAGAIN ? Wrote::kBlocked : Wrote::kBroken;
    }
    head_.erase(head_.begin(), head_.begin() + std::max<ssize_t>(done, 0));
  }
  return Wrote::kAll;
}

// As far as no other configuration comes into force.
Feed::Wrote Feed::write_tags(int fd) {
  std::array<iovec, kMostPieces> pieces{};
  std::size_t count = 0;
  for (Tag& tag : tags_) {
    const bool follows =
        container_ == Container::kMatroska || tag.configuration == sent_[index_of(tag.kind)];
    if (count == kMostPieces || !follows) {
      break;
    }
    if (tag.end == 0) {
      frame(tag);
    }
    const std::size_t skip = count == 0 ? written_ : 0;
    pieces[count++] = {tag.bytes.data() + tag.begin + skip, tag.end - tag.begin - skip};
  }
  const ssize_t done = ::writev(fd, pieces.data(), static_cast<int>(count));
  if (done < 0) {
    return errno == EINTR ? Wrote::kAll : errno == EAGAIN ? Wrote::kBlocked : Wrote::kBroken;
  }
  written_ += static_cast<std::size_t>(done);
  while (!tags_.empty() && tags_.front().end != 0 &&
         written_ >= tags_.front().end - tags_.front().begin) {
    written_ -= tags_.front().end - tags_.front().begin;
    bytes_ -= tags_.front().bytes.size();
    tags_.pop_front();
  }
  return Wrote::kAll;
}

Feed::Wrote Feed::write(int fd) {
  while (!empty()) {
    if (written_ == 0 && !tags_.empty() && container_ == Container::kFlv) {
      const Tag& next = tags_.front();
      Configuration& sent = sent_[index_of(next.kind)];
      if (std::exchange(sent, next.configuration) != next.configuration && sent != nullptr) {
        put_configuration(next);
      }
    }
    Wrote wrote = write_head(fd);
    if (wrote == Wrote::kAll && !tags_.empty()) {
      wrote = write_tags(fd);
    }
    if (wrote != Wrote::kAll) {
      return wrote;
    }
  }
  return Wrote::kAll;
}

}  // namespace recording::transcode
