#include "transcode/flv_feed.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "transcode/flv_tag_writer.hpp"

namespace recording::transcode {
namespace {

using media::Codec;
using media::TagKind;
using media::TrackKind;

// How many tags one writev(2) takes at most.
constexpr std::size_t kMostPieces = 64;

}  // namespace

bool& FlvFeed::has(TrackKind kind) { return has_[index_of(kind)]; }

// What is half read stays, however old it is.
bool FlvFeed::is_full() const {
  const std::size_t first = written_ > 0 ? 1 : 0;
  return tags_.size() > first &&
         (bytes_ > kMostBytes || tags_.back().ms - tags_[first].ms > kMostMs);
}

bool FlvFeed::add(const SourceMessage& taken, media::Pieces message) {
  const media::TagHeader& tag = taken.tag;
  const bool configuration = tag.kind == TagKind::kSequenceHeader;
  if ((!taken.decodable && !configuration) || (opened_ && !has(taken.kind))) {
    return true;
  }
  if (!can_be_fed(tag.codec)) {
    return configuration;
  }
  has(taken.kind) = true;
  ByteView sets = taken.sets.insert;
  auto before_sets = taken.sets.at;
  if (configuration || sets.empty()) {
    sets = {};
    before_sets = 0;
  }
  Bytes bytes;
  if (!configuration) {
    begin_tag(bytes, taken.kind, taken.ms, kMostMediaHeader + tag.payload_size + sets.size());
  }
  put_media_header(bytes, tag, configuration);
  media::PieceReader in(message);
  in.skip(tag.header_size);
  in.copy(before_sets, bytes);
  put_bytes(bytes, sets);
  in.copy(tag.payload_size - before_sets, bytes);
  if (configuration) {
    take_configuration(taken.kind, std::move(bytes));
    return true;
  }
  end_tag(bytes, 0);
  const Configuration& configured = configurations_[index_of(taken.kind)];
  const bool begins = !has(TrackKind::kVideo) || (taken.kind == TrackKind::kVideo && tag.key);
  push({std::move(bytes), taken.kind, begins, taken.ms,
        tag.codec == Codec::kMp3 ? nullptr : configured});
  return true;
}

void FlvFeed::take_configuration(TrackKind kind, Bytes body) {
  Configuration& known = configurations_[index_of(kind)];
  if (known == nullptr || *known != body) {  // encoders repeat it
    known = std::make_shared<const Bytes>(std::move(body));
  }
}

void FlvFeed::push(Tag tag) {
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

void FlvFeed::drop(Queue::iterator from, Queue::iterator to) {
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

void FlvFeed::keep_last_group() {
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

void FlvFeed::make_room() {
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

void FlvFeed::open(const FlvTracks& tracks) {
  has(TrackKind::kVideo) = tracks.video;
  has(TrackKind::kAudio) = tracks.audio;
  opened_ = true;
  reading_ = true;
  sent_ = {};
  std::erase_if(tags_, [&](const Tag& tag) { return !has(tag.kind); });
  for (Tag& tag : tags_) {
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
  put_file_header(head_, tracks);
}

void FlvFeed::close() {
  reading_ = false;
  head_.clear();
  if (written_ > 0) {
    bytes_ -= tags_.front().bytes.size();
    tags_.pop_front();
    written_ = 0;
  }
  keep_last_group();
}

FlvFeed::Wrote FlvFeed::write_head(int fd) {
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
FlvFeed::Wrote FlvFeed::write_tags(int fd) {
  std::array<iovec, kMostPieces> pieces{};
  std::size_t count = 0;
  for (Tag& tag : tags_) {
    if (count == kMostPieces || tag.configuration != sent_[index_of(tag.kind)]) {
      break;
    }
    const std::size_t skip = count == 0 ? written_ : 0;
    pieces[count++] = {tag.bytes.data() + skip, tag.bytes.size() - skip};
  }
  const ssize_t done = ::writev(fd, pieces.data(), static_cast<int>(count));
  if (done < 0) {
    return errno == EINTR ? Wrote::kAll : errno == EAGAIN ? Wrote::kBlocked : Wrote::kBroken;
  }
  written_ += static_cast<std::size_t>(done);
  while (!tags_.empty() && written_ >= tags_.front().bytes.size()) {
    written_ -= tags_.front().bytes.size();
    bytes_ -= tags_.front().bytes.size();
    tags_.pop_front();
  }
  return Wrote::kAll;
}

FlvFeed::Wrote FlvFeed::write(int fd) {
  while (!empty()) {
    if (written_ == 0 && !tags_.empty()) {
      const Tag& next = tags_.front();
      Configuration& sent = sent_[index_of(next.kind)];
      if (std::exchange(sent, next.configuration) != next.configuration && sent != nullptr) {
        const std::size_t at = head_.size();
        begin_tag(head_, next.kind, next.ms, sent->size());
        put_bytes(head_, *sent);
        end_tag(head_, at);
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
