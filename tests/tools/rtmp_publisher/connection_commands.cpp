// The half of a Connection that talks: handshake, commands and their answers.

#include "connection.hpp"

namespace rtmp_publisher {
namespace {

constexpr std::size_t kHandshakeSize = 1536;                      // RTMP 1.0, section 5.2.3
constexpr std::size_t kServerHandshake = 1 + 2 * kHandshakeSize;  // S0, S1, S2
constexpr std::uint32_t kControlChunks = 2;                       // section 5.3.1.1
constexpr std::uint32_t kCommandChunks = 3;                       // the sender's choice

}  // namespace

void Connection::handle_bytes(ByteView bytes) {
  if (state_ == State::kHandshake) {
    put_bytes(in_, bytes);
    if (in_.size() < kServerHandshake) {
      return;
    }
    const Bytes answer = std::move(in_);
    put_bytes(out_, ByteView(answer).subspan(1, kHandshakeSize));  // C2 echoes S1
    state_ = State::kNegotiating;
    progress_ = now_;
    change_chunk_size();
    command("connect", kConnectCall, false);
    bytes = ByteView(answer).subspan(kServerHandshake);
    if (!bytes.empty()) {
      handle_bytes(Bytes(bytes.begin(), bytes.end()));
    }
    return;
  }
  if (!reader_.feed(bytes,
                    [this](MessageType type, ByteView body) { handle_message(type, body); })) {
    fail("the server's answer is not RTMP");
  }
}

void Connection::handle_message(MessageType type, ByteView body) {
  // Ping request and response: RTMP 1.0, section 7.1.7. Unanswered, nginx-rtmp hangs up.
  if (type == MessageType::kUserControl && body.size() >= 6 && get_be(body.data(), 2) == 6) {
    Bytes answer(body.begin(), body.end());
    answer[1] = 7;
    writer_.write(out_, {MessageType::kUserControl, kControlChunks, 0, 0}, answer);
    return;
  }
  if (type == MessageType::kCommand) {
    if (const std::optional<ServerCommand> answer = parse_command(body)) {
      handle_command(*answer);
    }
  }
}

void Connection::handle_command(const ServerCommand& answer) {
  const auto transaction = static_cast<int>(answer.transaction);
  const bool on_status = answer.name == "onStatus";
  if (on_status) {
    codes_.push_back(answer.code);
  }
  if (state_ > State::kPublishing) {
    return;
  }
  const bool refused = answer.name == "_error" || (on_status && answer.level == "error");
  if (refused && (on_status || transaction == kConnectCall || transaction == kCreateCall)) {
    take_verdict(Verdict::kRefused, answer);
    state_ = State::kFinishing;
    return;
  }
  if (answer.name == "_result" && transaction == kConnectCall) {
    command("releaseStream", kReleaseCall, true);
    command("FCPublish", kFcPublishCall, true);
    command("createStream", kCreateCall, false);
  } else if (answer.name == "_result" && transaction == kCreateCall) {
    publish(answer.number.value_or(1));
  } else if (on_status && answer.code == "NetStream.Publish.Start") {
    take_verdict(Verdict::kAccepted, answer);
    event("accepted");
    if (state_ == State::kNegotiating) {
      start(now_);
    }
  }
}

void Connection::take_verdict(Verdict verdict, const ServerCommand& answer) {
  verdict_ = verdict;
  code_ = answer.code;
  level_ = answer.level;
  description_ = answer.description;
}

void Connection::publish(double stream_id) {
  stream_id_ = static_cast<std::uint32_t>(stream_id);
  command("publish", kPublishCall, true, stream_id_);
  if (options_.eager) {
    start(now_);
  }
}

void Connection::command(const char* name, int transaction, bool with_name, std::uint32_t stream) {
  Bytes body;
  amf_string(body, name);
  amf_number(body, transaction);
  if (transaction == kConnectCall) {
    amf_object_begin(body);
    amf_property(body, "app", options_.app);
    amf_property(body, "type", "nonprivate");
    amf_property(body, "flashVer", "FMLE/3.0 (compatible; rtmp-publisher)");
    amf_property(
        body, "tcUrl",
        "rtmp://" + options_.host + ":" + std::to_string(options_.port) + "/" + options_.app);
    amf_object_end(body);
  } else {
    amf_null(body);
  }
  if (with_name) {
    amf_string(body, name_);
  }
  if (transaction == kPublishCall) {
    amf_string(body, "live");
  } else if (transaction == kDeleteCall) {
    amf_number(body, stream_id_);
  }
  writer_.write(out_, {MessageType::kCommand, kCommandChunks, 0, stream}, body);
}

}  // namespace rtmp_publisher
