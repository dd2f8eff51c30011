#include "connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rtmp_publisher {
namespace {

constexpr std::size_t kHandshakeSize = 1536;  // RTMP 1.0, section 5.2.3
constexpr std::size_t kFlatOutQueue = 256 << 10;
constexpr std::size_t kRealTimeQueue = 4
                                       << 20;  // a server that does not read is not waited for long
constexpr double kDrainSeconds = 5;
constexpr double kFrame = 1.0 / 30;

// Chunk streams, as common encoders use them; the number is the sender's choice.
constexpr std::uint32_t kDataChunks = 4;
constexpr std::uint32_t kAudioChunks = 6;
constexpr std::uint32_t kVideoChunks = 7;

std::string expand_name(const std::string& name, std::uint32_t number) {
  const std::size_t at = name.find("{i}");
  if (at == std::string::npos) {
    return name;
  }
  return name.substr(0, at) + std::to_string(number) + name.substr(at + 3);
}

}  // namespace

Connection::Connection(const Options& options, const Playlist& playlist, std::uint32_t number,
                       std::FILE* log)
    : options_(options),
      number_(number),
      log_(log),
      name_(expand_name(options.name, number)),
      source_(options, playlist) {}

Connection::~Connection() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

void Connection::open(double now) {
  now_ = progress_ = now;
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  if (fd_ < 0 || ::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) {
    fail("bad address " + options_.host);
    return;
  }
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    fail(std::string("connect: ") + std::strerror(errno));
    return;
  }
  out_.assign(1 + kHandshakeSize, 0);  // C0 and C1: version 3; time, zero and random bytes all 0
  out_[0] = 3;
}

void Connection::step(double now, bool readable) {
  now_ = now;
  if (closed()) {
    return;
  }
  if (state_ == State::kConnecting) {
    int code = 0;
    socklen_t size = sizeof code;
    sockaddr_in peer{};
    socklen_t peer_size = sizeof peer;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code != 0) {
      fail(std::string("connect: ") + std::strerror(code));
      return;
    }
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0) {
      state_ = State::kHandshake;
    }
  }
  if (readable) {
    receive();
  }
  if (state_ == State::kPublishing) {
    send_due_messages(now);
  } else if (state_ == State::kHolding && now >= hold_until_) {
    leave();
  }
  if (!closed()) {
    flush(now);
  }
}

void Connection::stop() {
  if (state_ == State::kPublishing || state_ == State::kHolding) {
    leave();
  } else if (state_ < State::kPublishing) {
    fail("stopped before it was accepted");
  }
}

bool Connection::wants_write() const {
  return !closed() && (state_ == State::kConnecting || queued() > 0 ||
                       (options_.speed == 0 && state_ == State::kPublishing && now_ >= started_ &&
                        now_ >= pause_until_));
}

void Connection::receive() {
  std::array<std::uint8_t, 16384> buffer;  // NOLINT: filled by recv
  while (!closed()) {
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      handle_bytes({buffer.data(), static_cast<std::size_t>(got)});
      continue;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    closed_by_peer_ = state_ < State::kFinishing;
    close_socket();
  }
}

void Connection::start(double now) {
  state_ = State::kPublishing;
  const double spread = kFrame / options_.connections;
  started_ = now + number_ * (options_.stagger_seconds >= 0 ? options_.stagger_seconds : spread);
  progress_ = now;
}

void Connection::change_chunk_size() {
  const std::uint32_t size = options_.chunk_sizes[next_chunk_size_++ % options_.chunk_sizes.size()];
  if (options_.chunk_inside_message && written_ > 0) {
    writer_.change_inside_next_message(size);
  } else {
    writer_.set_chunk_size(out_, size);
  }
}

bool Connection::paused(const Message& next, double now) {
  while (next_pause_ < options_.pauses.size()) {
    const TimedValue& pause = options_.pauses[next_pause_];
    if (static_cast<double>(next.position) < pause.at_seconds * 1000) {
      break;
    }
    ++next_pause_;
    pause_until_ = now + pause.value;
    started_ += pause.value;
    event("pause", pause.value);
  }
  return now < pause_until_;
}

void Connection::send_due_messages(double now) {
  const std::size_t limit = options_.speed > 0 ? kRealTimeQueue : kFlatOutQueue;
  while (now >= started_ && queued() < limit) {
    const Message* next = source_.peek();
    if (next == nullptr) {
      end_of_messages(now);
      return;
    }
    const double due = static_cast<double>(next->position) / 1000;
    if ((options_.speed > 0 && due > (now - started_) * options_.speed) || paused(*next, now)) {
      progress_ = queued() == 0 ? now : progress_;
      return;
    }
    send_message(*next);
    source_.pop();
  }
}

void Connection::send_message(const Message& message) {
  if (options_.chunk_every != 0 && written_ > 0 && written_ % options_.chunk_every == 0) {
    change_chunk_size();
  }
  if (message.kind == Kind::kMetadata) {
    Bytes body;
    amf_string(body, "@setDataFrame");
    put_bytes(body, message.body);
    writer_.write(out_, {MessageType::kData, kDataChunks, message.timestamp, stream_id_}, body);
  } else {
    const bool audio = is_audio(message.kind);
    writer_.write(out_,
                  {audio ? MessageType::kAudio : MessageType::kVideo,
                   audio ? kAudioChunks : kVideoChunks, message.timestamp, stream_id_},
                  message.body);
  }
  ++written_;
  position_ = message.position;
  in_flight_.push_back({bytes_sent_ + queued(), message.kind, message.timestamp,
                        static_cast<std::uint32_t>(message.body.size()), message.hash});
}

void Connection::end_of_messages(double now) {
  event("done", options_.hold_seconds);
  hold_until_ = now + options_.hold_seconds;
  state_ = State::kHolding;
  if (options_.hold_seconds <= 0) {
    leave();
  }
}

void Connection::leave() {
  if (options_.close == CloseKind::kGoodbye) {
    command("FCUnpublish", kFcUnpublishCall, true);
    command("deleteStream", kDeleteCall, false);
  } else if (options_.close == CloseKind::kCut) {
    Bytes whole;
    const auto timestamp = static_cast<std::uint32_t>(position_ + 1) + options_.base_timestamp;
    writer_.write(whole, {MessageType::kVideo, kVideoChunks, timestamp, stream_id_},
                  source_.long_body());
    put_bytes(out_, ByteView(whole).first(whole.size() / 2));
  }
  state_ = State::kFinishing;
}

void Connection::flush(double now) {
  while (queued() > 0 && state_ != State::kConnecting) {
    const ssize_t sent = ::send(fd_, &out_[out_offset_], queued(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) {
        closed_by_peer_ = state_ < State::kFinishing;
        close_socket();
        return;
      }
      break;
    }
    out_offset_ += static_cast<std::size_t>(sent);
    bytes_sent_ += static_cast<std::uint64_t>(sent);
    progress_ = now;
  }
  count_sent();
  if (queued() == 0) {
    out_.clear();
    out_offset_ = 0;
    if (state_ == State::kFinishing) {
      if (options_.close == CloseKind::kReset) {
        const linger reset{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close_socket();
        return;
      }
      ::shutdown(fd_, SHUT_WR);
      state_ = State::kDraining;
      progress_ = now;
    }
  }
  // Negotiation moves on by answers, media by bytes taken; anything else is a server that hangs.
  const bool waiting = state_ < State::kPublishing || queued() > 0;
  if (waiting && now - progress_ > options_.timeout_seconds) {
    fail(state_ < State::kPublishing ? "no answer" : "the server does not read");
  } else if (state_ == State::kDraining && now - progress_ > kDrainSeconds) {
    close_socket();
  }
}

void Connection::count_sent() {
  while (!in_flight_.empty() && in_flight_.front().end <= bytes_sent_) {
    const InFlight& message = in_flight_.front();
    ++sent_[static_cast<std::size_t>(message.kind)];
    if (log_ != nullptr && is_media(message.kind)) {
      std::fprintf(log_, "%u %s %u %u %016llx\n", number_, kind_name(message.kind),
                   message.timestamp, message.size, static_cast<unsigned long long>(message.hash));
    }
    in_flight_.pop_front();
  }
}

void Connection::close_socket() {
  ::close(fd_);
  fd_ = -1;
  state_ = State::kClosed;
}

void Connection::fail(const std::string& why) {
  error_ = why;
  if (fd_ >= 0) {
    close_socket();
  }
  state_ = State::kClosed;
}

void Connection::event(const char* what, double seconds) const {
  if (options_.events) {
    std::printf("{\"event\":\"%s\",\"connection\":%u,\"seconds\":%g,\"media_ms\":%llu}\n", what,
                number_, seconds, static_cast<unsigned long long>(position_));
    std::fflush(stdout);
  }
}

std::string Connection::report() const {
  static constexpr const char* kVerdicts[] = {"unanswered", "accepted", "refused"};
  std::string json = "{\"connection\":" + std::to_string(number_);
  json += ",\"name\":" + json_quote(name_);
  json += ",\"publish\":\"" + std::string(kVerdicts[static_cast<std::size_t>(verdict_)]) + "\"";
  json += ",\"code\":" + json_quote(code_) + ",\"level\":" + json_quote(level_);
  json += ",\"description\":" + json_quote(description_) + ",\"codes\":[";
  for (std::size_t i = 0; i < codes_.size(); ++i) {
    json += i == 0 ? "" : ",";
    json += json_quote(codes_[i]);
  }
  json += "],\"messages\":{";
  for (std::size_t i = 0; i < kKinds; ++i) {
    json += i == 0 ? "\"" : ",\"";
    json += kind_name(static_cast<Kind>(i));
    json += "\":" + std::to_string(sent_[i]);
  }
  json += "},\"bytes\":" + std::to_string(bytes_sent_);
  json += ",\"media_ms\":" + std::to_string(position_);
  json += ",\"unsent_bytes\":" + std::to_string(queued());
  json += ",\"closed_by_peer\":" + std::string(closed_by_peer_ ? "true" : "false");
  return json + ",\"error\":" + json_quote(error_) + "}";
}

}  // namespace rtmp_publisher
