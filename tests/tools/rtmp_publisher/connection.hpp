#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <vector>

#include "amf.hpp"
#include "chunks.hpp"
#include "message_source.hpp"
#include "options.hpp"

namespace rtmp_publisher {

// One publisher: connects, publishes, sends its messages when they are due, leaves as told.
// Single-threaded; the owner waits on fd() and calls step() at every event and every few ms.
class Connection {
 public:
  Connection(const Options& options, const Playlist& playlist, std::uint32_t number,
             std::FILE* log);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void open(double now);
  void step(double now, bool readable);
  void stop();  // as if the last message had been sent

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool closed() const { return state_ == State::kClosed; }
  // Flat out, room in the socket is what the next message waits for.
  [[nodiscard]] bool wants_write() const;

  [[nodiscard]] bool accepted() const { return verdict_ == Verdict::kAccepted; }
  [[nodiscard]] bool failed() const { return !accepted() || closed_by_peer_ || !error_.empty(); }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] std::uint64_t messages(Kind kind) const {
    return sent_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::string report() const;

 private:
  enum class State : std::uint8_t {
    kConnecting,
    kHandshake,
    kNegotiating,  // connect, createStream, publish
    kPublishing,
    kHolding,    // all sent; connected on purpose
    kFinishing,  // the last bytes, then FIN
    kDraining,   // until the server closes: then it has read everything
    kClosed,
  };
  // The numbers of our calls; answers carry them.
  enum Call : int {
    kConnectCall = 1,
    kReleaseCall,
    kFcPublishCall,
    kCreateCall,
    kPublishCall,
    kFcUnpublishCall,
    kDeleteCall,
  };
  enum class Verdict : std::uint8_t { kNone, kAccepted, kRefused };
  struct InFlight {
    std::uint64_t end = 0;  // bytes_sent_ when it is wholly with the kernel
    Kind kind = Kind::kMetadata;
    std::uint32_t timestamp = 0;
    std::uint32_t size = 0;
    std::uint64_t hash = 0;
  };

  void receive();
  void handle_bytes(ByteView bytes);
  void handle_message(MessageType type, ByteView body);
  void handle_command(const ServerCommand& command);
  void take_verdict(Verdict verdict, const ServerCommand& answer);
  void publish(double stream_id);
  void start(double now);
  void command(const char* name, int transaction, bool with_name, std::uint32_t stream = 0);
  void send_due_messages(double now);
  void send_message(const Message& message);
  void change_chunk_size();
  bool paused(const Message& next, double now);
  void end_of_messages(double now);
  void leave();
  void flush(double now);
  void count_sent();
  void close_socket();
  void fail(const std::string& why);
  void event(const char* what, double seconds = 0) const;
  [[nodiscard]] std::size_t queued() const { return out_.size() - out_offset_; }

  const Options& options_;
  std::uint32_t number_;
  std::FILE* log_;
  std::string name_;
  MessageSource source_;
  ChunkWriter writer_;
  ChunkReader reader_;

  int fd_ = -1;
  State state_ = State::kConnecting;
  Verdict verdict_ = Verdict::kNone;
  bool closed_by_peer_ = false;
  std::string error_, code_, level_, description_;
  std::vector<std::string> codes_;

  Bytes in_;  // handshake only
  Bytes out_;
  std::size_t out_offset_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::deque<InFlight> in_flight_;
  std::array<std::uint64_t, kKinds> sent_{};
  std::uint32_t stream_id_ = 1;
  std::uint64_t written_ = 0;  // messages put into out_
  std::size_t next_chunk_size_ = 0;
  std::size_t next_pause_ = 0;
  double pause_until_ = 0;
  double hold_until_ = 0;
  double started_ = 0;   // when media position 0 is due
  double progress_ = 0;  // the last time something moved
  double now_ = 0;
  std::uint64_t position_ = 0;  // of the last message written
};

}  // namespace rtmp_publisher
