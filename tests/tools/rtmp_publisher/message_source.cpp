#include "message_source.hpp"

#include <algorithm>

namespace rtmp_publisher {
namespace {

constexpr std::uint64_t kReorderWindow = 100;  // ms

std::uint64_t to_ms(double seconds) { return static_cast<std::uint64_t>(seconds * 1000); }

bool is_header(Kind kind) { return kind == Kind::kAudioHeader || kind == Kind::kVideoHeader; }

Bytes first_bytes(ByteView body, std::size_t count) {
  const ByteView head = body.first(std::min(count, body.size()));
  return {head.begin(), head.end()};
}

void reorder(std::vector<Playlist::Item>& items, TrackOrder order) {
  if (order == TrackOrder::kAsInFile) {
    return;
  }
  const bool audio_first = order == TrackOrder::kAudioFirst;
  const auto rank = [audio_first](const Playlist::Item& item) {
    return !is_media(item.kind) ? 0 : (is_audio(item.kind) == audio_first ? 1 : 2);
  };
  std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) {
    const std::uint64_t window_a = a.position / kReorderWindow;
    const std::uint64_t window_b = b.position / kReorderWindow;
    return window_a != window_b ? window_a < window_b : rank(a) < rank(b);
  });
}

}  // namespace

bool Playlist::make(const Options& options, Playlist& playlist, std::string& error) {
  for (const std::string& path : options.files) {
    const FlvFile file = FlvFile::load(path, error);
    if (file.tags.empty()) {
      return false;
    }
    const bool several = options.files.size() > 1;
    for (const Tag& tag : file.tags) {
      const bool metadata = tag.kind == Kind::kMetadata;
      // Metadata of a later file stays out: a source that changes does not announce itself.
      if ((metadata && (!options.metadata || !playlist.items.empty())) ||
          (is_media(tag.kind) && !(is_audio(tag.kind) ? options.audio : options.video)) ||
          (is_header(tag.kind) && !options.headers)) {
        continue;
      }
      const bool once = metadata || (is_header(tag.kind) && !several);
      playlist.items.push_back({tag.kind, playlist.period + tag.timestamp, tag.body,
                                options.log_path.empty() ? 0 : fnv1a(tag.body), once});
      if (is_media(tag.kind) && tag.number < options.timestamps.size()) {
        playlist.items.back().timestamp = options.timestamps[tag.number];
      }
    }
    playlist.period += file.period;
  }
  reorder(playlist.items, options.order);
  if (std::none_of(playlist.items.begin(), playlist.items.end(),
                   [](const Item& item) { return !item.first_pass_only; })) {
    error = "nothing to send";
    return false;
  }
  return true;
}

MessageSource::MessageSource(const Options& options, const Playlist& playlist)
    : options_(options),
      playlist_(playlist),
      next_repeat_(to_ms(options.repeat_headers_seconds)),
      random_(options.seed) {}

const Message* MessageSource::peek() {
  while (ready_.empty() && !ended_) {
    prepare();
  }
  return ready_.empty() ? nullptr : &ready_.front();
}

void MessageSource::pop() { ready_.pop_front(); }

ByteView MessageSource::long_body() const {
  const auto longest =
      std::max_element(playlist_.items.begin(), playlist_.items.end(),
                       [](const auto& a, const auto& b) { return a.body.size() < b.body.size(); });
  return longest->body;
}

bool MessageSource::over(std::uint64_t position) const {
  if (options_.stop_after_messages != 0 && media_messages_ >= options_.stop_after_messages) {
    return true;
  }
  if (options_.duration_seconds > 0) {
    return position >= to_ms(options_.duration_seconds);
  }
  return false;
}

bool MessageSource::wanted(const Playlist::Item& item, std::uint64_t position) const {
  if (item.first_pass_only && loop_ > 0) {
    return false;
  }
  if (!is_media(item.kind)) {
    return true;
  }
  const double delay =
      is_audio(item.kind) ? options_.audio_delay_seconds : options_.video_delay_seconds;
  return position >= to_ms(delay);
}

// Takes the playlist's next item; leaves in ready_ what is to be sent for it, if anything.
void MessageSource::prepare() {
  if (index_ == playlist_.items.size()) {
    index_ = 0;
    ++loop_;
  }
  const bool endless =
      options_.loops == 0 || options_.duration_seconds > 0 || options_.stop_after_messages != 0;
  if (!endless && loop_ >= options_.loops) {
    ended_ = true;
    return;
  }
  const Playlist::Item& item = playlist_.items[index_++];
  const std::uint64_t position = loop_ * playlist_.period + item.position;
  if (is_header(item.kind)) {
    (is_audio(item.kind) ? audio_header_ : video_header_) = &item;
  }
  if (over(position)) {
    // Tracks are interleaved within some ms only: the first message beyond the end is the end.
    ended_ = true;
    return;
  }
  if (!wanted(item, position)) {
    return;
  }
  if (item.kind == Kind::kAudio || item.kind == Kind::kVideo) {
    add_headers_before(item, position);
    add_hostile(item, position);
    ++media_messages_;
    ++track_messages_[is_audio(item.kind)];
  } else if (is_header(item.kind)) {
    (is_audio(item.kind) ? audio_header_sent_ : video_header_sent_) = true;
  }
  add(item, position);
}

void MessageSource::add(const Playlist::Item& item, std::uint64_t position) {
  Message message;
  message.kind = item.kind;
  message.position = position;
  message.timestamp = item.timestamp.value_or(timestamp_at(position));
  message.body = item.body;
  message.hash = item.hash;
  ready_.push_back(std::move(message));
}

void MessageSource::add_headers_before(const Playlist::Item& item, std::uint64_t position) {
  const bool audio = is_audio(item.kind);
  bool& sent = audio ? audio_header_sent_ : video_header_sent_;
  const Playlist::Item* header = audio ? audio_header_ : video_header_;
  if (!sent && header != nullptr) {  // it was passed while its track was held back
    sent = true;
    add(*header, position);
  }
  if (next_repeat_ != 0 && position >= next_repeat_) {
    next_repeat_ += to_ms(options_.repeat_headers_seconds);
    for (const Playlist::Item* again : {video_header_, audio_header_}) {
      if (again != nullptr) {
        add(*again, position);
      }
    }
  }
}

void MessageSource::add_hostile(const Playlist::Item& item, std::uint64_t position) {
  static constexpr std::size_t kCuts[] = {1, 2, 4, 5, 6, 9, 16};  // inside and right after headers
  const bool audio = is_audio(item.kind);
  const std::uint64_t count = track_messages_[audio];
  for (const Hostile& hostile : options_.hostile) {
    if (hostile.audio != audio || count == 0 || count % hostile.every != 0) {
      continue;
    }
    const std::size_t cut = kCuts[hostile_messages_++ % std::size(kCuts)];
    Message message;
    switch (hostile.kind) {
      case HostileKind::kGarbage:
        message.owned.resize(1 + random_() % 400);
        for (std::uint8_t& byte : message.owned) {
          byte = static_cast<std::uint8_t>(random_() >> 8);
        }
        break;
      case HostileKind::kTruncated:
        message.owned = first_bytes(item.body, cut);
        break;
      case HostileKind::kEmpty:
        break;
      case HostileKind::kHeader:
        if (const Playlist::Item* header = audio ? audio_header_ : video_header_) {
          message.owned = first_bytes(header->body, cut);
        }
        break;
    }
    message.kind = audio ? Kind::kHostileAudio : Kind::kHostileVideo;
    message.position = position;
    message.timestamp = timestamp_at(position);
    message.body = message.owned;
    message.hash = options_.log_path.empty() ? 0 : fnv1a(message.body);
    ready_.push_back(std::move(message));
  }
}

std::uint32_t MessageSource::timestamp_at(std::uint64_t position) const {
  std::int64_t timestamp = static_cast<std::int64_t>(position) + options_.base_timestamp;
  for (const TimedValue& jump : options_.jumps) {
    if (position >= to_ms(jump.at_seconds)) {
      timestamp += static_cast<std::int64_t>(jump.value);
    }
  }
  return static_cast<std::uint32_t>(timestamp);
}

}  // namespace rtmp_publisher
