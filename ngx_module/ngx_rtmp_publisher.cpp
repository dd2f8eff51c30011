#include "ngx_headers.hpp"

#include "ngx_rtmp_publisher.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/rendition_recorder.hpp"
#include "base/bytes.hpp"
#include "boundary.hpp"
#include "media/flv_metadata.hpp"
#include "media/flv_tag.hpp"
#include "ngx_application.hpp"
#include "ngx_recording_process.hpp"
#include "ngx_rtmp_recording_conf.hpp"
#include "ngx_rtmp_transcoder_conf.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

ngx_rtmp_publish_pt next_gate_publish;
ngx_rtmp_publish_pt next_publish;
ngx_rtmp_close_stream_pt next_close_stream;

// Ours, of one RTMP session. nginx-rtmp calls audio and video handlers, and the end of a stream,
// for sessions that were never accepted as well: only what stands here counts.
struct PublisherContext {
  std::optional<recorder::Admission> admission;  // to the name, between the gate and the last hook
  std::string claimed_name;
  // The live stream whose publisher is being replaced; its `publishing` flag is ours to put back
  // when the new publisher is refused after all.
  ngx_rtmp_session_t* replaced = nullptr;
  recorder::Session* session = nullptr;
  transcode::LiveSession* live = nullptr;
  // The last onMetaData, which may come before on_publish has answered, too.
  std::optional<media::FlvMetadata> metadata;
  // The last sequence header of each kind, as its message was. An encoder may send it while
  // on_publish has not answered yet; nginx-rtmp keeps those of H.264 and AAC only.
  std::array<Bytes, media::kTrackKinds> headers;
};

PublisherContext* context_of(ngx_rtmp_session_t* s) noexcept {
  return static_cast<PublisherContext*>(ngx_rtmp_get_module_ctx(s, ngx_rtmp_recording_module));
}

PublisherContext* context_for(ngx_rtmp_session_t* s) {
  PublisherContext* context = context_of(s);
  if (context == nullptr) {
    context = pool_new<PublisherContext>(s->connection->pool);
    if (context != nullptr) {
      ngx_rtmp_set_ctx(s, context, ngx_rtmp_recording_module);
    }
  }
  return context;
}

template <class Context, class Module>
Context* module_context(ngx_rtmp_session_t* s, Module& module) noexcept {
  return static_cast<Context*>(ngx_rtmp_get_module_ctx(s, module));
}

bool is_ours(ngx_rtmp_session_t* s) noexcept {
  const RtmpAppConf* conf = rtmp_app_conf(s);
  return application() != nullptr && conf != nullptr && !s->auto_pushed &&
         (conf->recording == 1 || transcoder_conf(s) != nullptr);
}

// As the configuration names it; the session of a pulled stream has no name of it.
ngx_str_t& app_of(ngx_rtmp_session_t* s) noexcept {
  return static_cast<ngx_rtmp_core_app_conf_t*>(
             ngx_rtmp_get_module_app_conf(s, ngx_rtmp_core_module))
      ->name;
}

std::string printable(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  return text;
}

ngx_rtmp_live_ctx_t* live_context(ngx_rtmp_session_t* s) noexcept {
  return module_context<ngx_rtmp_live_ctx_t>(s, ngx_rtmp_live_module);
}

// The live module lets one publisher in: the silent one's flag makes room for the one at the gate.
void make_room(ngx_rtmp_session_t* old, PublisherContext& context) {
  if (ngx_rtmp_live_ctx_t* live = live_context(old); live != nullptr && live->stream != nullptr) {
    live->stream->publishing = 0;
    context.replaced = old;
  }
}

// False: the name is somebody else's.
bool claim_name(ngx_rtmp_session_t* s, const char* name) {
  PublisherContext* context = context_for(s);
  if (context == nullptr) {
    return true;
  }
  if (context->session != nullptr || context->live != nullptr) {
    return true;  // a second publish of one session: the live module stays with the first name
  }
  const RtmpAppConf& conf = *rtmp_app_conf(s);
  recorder::Admission admission = application()->recorder().admit(
      to_string(app_of(s)), name,
      conf.takeover == 1 ? static_cast<std::int64_t>(conf.takeover_timeout) : -1);
  if (admission.how == recorder::Admission::How::kUnknown) {
    // It cannot be recorded, which is no reason to refuse it.
    ngx_log_error(NGX_LOG_ERR, s->connection->log, 0, "recording: publish: %*s",
                  admission.why.size(), admission.why.data());
    return true;
  }
  const std::string shown = printable(name);
  if (admission.how == recorder::Admission::How::kRefused) {
    ngx_log_error(NGX_LOG_WARN, s->connection->log, 0,
                  "recording: publish of \"%V/%s\" refused: it is being published already",
                  &app_of(s), shown.c_str());
    return false;
  }
  if (admission.how != recorder::Admission::How::kFree) {
    ngx_log_error(NGX_LOG_NOTICE, s->connection->log, 0,
                  "recording: publisher of \"%V/%s\" takes the place of a silent one", &app_of(s),
                  shown.c_str());
  }
  if (admission.replaced != nullptr) {
    make_room(static_cast<ngx_rtmp_session_t*>(admission.replaced->publisher().connection),
              *context);
  }
  context->admission = std::move(admission);
  context->claimed_name = name;
  return true;
}

ngx_int_t gate_publish(ngx_rtmp_session_t* s, ngx_rtmp_publish_t* v) noexcept {
  const bool admitted = guard(s->connection->log, "publish gate", true, [&] {
    return !is_ours(s) || claim_name(s, reinterpret_cast<const char*>(v->name));
  });
  if (!admitted) {
    ngx_rtmp_send_status(s, const_cast<char*>("NetStream.Publish.BadName"),
                         const_cast<char*>("error"), const_cast<char*>("Already publishing"));
    return NGX_ERROR;
  }
  return next_gate_publish(s, v);
}

// The publisher at the gate was refused further on: all is as it was.
void withdraw(PublisherContext& context) {
  context.admission.reset();
  if (ngx_rtmp_session_t* old = std::exchange(context.replaced, nullptr); old != nullptr) {
    if (ngx_rtmp_live_ctx_t* live = live_context(old); live != nullptr && live->stream != nullptr) {
      live->stream->publishing = 1;
    }
  }
}

// A message's pieces, valid until the next call. One worker has one event loop: the array is kept,
// so that no message costs an allocation.
media::Pieces pieces_of(const ngx_chain_t* in) {
  static std::vector<iovec> pieces;
  pieces.clear();
  for (; in != nullptr; in = in->next) {
    const auto size = static_cast<std::size_t>(in->buf->last - in->buf->pos);
    if (size > 0) {
      pieces.push_back({in->buf->pos, size});
    }
  }
  return pieces;
}

// Of a connection that may never be accepted, too: it costs its memory only, and is not acted upon.
void keep_header(ngx_rtmp_session_t* s, media::TrackKind kind, media::Pieces message) {
  constexpr std::uint64_t kLongest = 16384;
  const media::TagHeader tag = kind == media::TrackKind::kVideo ? media::parse_video_tag(message)
                                                                : media::parse_audio_tag(message);
  media::PieceReader in(message);
  if (tag.kind != media::TagKind::kSequenceHeader || in.left() > kLongest || !is_ours(s)) {
    return;
  }
  if (PublisherContext* context = context_for(s); context != nullptr) {
    Bytes& header = context->headers[static_cast<std::size_t>(kind)];
    header.clear();
    in.copy(in.left(), header);
  }
}

// A rate that was declared before is not declared anew by an encoder that repeats its onMetaData:
// what the pictures themselves have said since counts.
void take_metadata(ngx_rtmp_session_t* s, ngx_chain_t* in) {
  constexpr std::uint64_t kLongest = 65536;
  media::PieceReader reader(pieces_of(in));
  Bytes message;
  reader.copy(std::min(reader.left(), kLongest), message);
  std::optional<media::FlvMetadata> metadata = media::parse_metadata(message);
  PublisherContext* context = metadata ? context_for(s) : nullptr;
  if (context == nullptr) {
    return;
  }
  if (!context->metadata || context->metadata->rejected != metadata->rejected) {
    for (const std::string& why : metadata->rejected) {
      ngx_log_error(NGX_LOG_WARN, s->connection->log, 0, "recording: onMetaData of \"%V\": %*s",
                    &app_of(s), why.size(), why.data());
    }
  }
  const bool new_rate =
      metadata->frame_rate &&
      (!context->metadata || context->metadata->frame_rate != metadata->frame_rate);
  context->metadata = std::move(metadata);
  if (context->live != nullptr) {
    context->live->on_metadata(*context->metadata);
  }
  if (context->session != nullptr && new_rate) {
    context->session->declare_frame_rate(*context->metadata->frame_rate);
  }
}

void end_live(PublisherContext& context) {
  if (transcode::LiveSession* live = std::exchange(context.live, nullptr); live != nullptr) {
    application()->live().end(live);
  }
}

void begin_live(ngx_rtmp_session_t* s, PublisherContext& context) {
  if (const TranscoderConf* conf = transcoder_conf(s); conf != nullptr) {
    context.live = application()->live().begin(
        to_string(app_of(s)), context.claimed_name,
        context.session != nullptr ? context.session->id() : 0, conf->settings,
        context.session != nullptr ? std::make_unique<app::RenditionRecorder>(*context.session)
                                   : nullptr);
    if (context.metadata) {
      context.live->on_metadata(*context.metadata);
    }
  }
}

// To whoever wants it. Neither depends on the other.
void hand_over(PublisherContext& context, media::TrackKind kind, std::uint32_t timestamp_ms,
               media::Pieces message) {
  if (context.session != nullptr) {
    context.session->on_message(kind, timestamp_ms, message);
  }
  if (context.live != nullptr) {
    context.live->on_message(kind, timestamp_ms, message);
  }
}

// The publisher at `s` has the place of the one at `context.replaced`, whose connection ends.
void replace_publisher(PublisherContext& context) {
  ngx_rtmp_session_t* old = std::exchange(context.replaced, nullptr);
  if (old == nullptr) {
    return;
  }
  // No publisher any more: its leaving must neither clear the flag nor send the viewers away.
  if (ngx_rtmp_live_ctx_t* live = live_context(old); live != nullptr) {
    live->publishing = 0;
  }
  context_of(old)->session = nullptr;  // the recorder ends it in begin()
  end_live(*context_of(old));
  ngx_rtmp_finalize_session(old);
}

void accept_publisher(ngx_rtmp_session_t* s) {
  PublisherContext* context = context_of(s);
  if (context == nullptr || context->session != nullptr || context->live != nullptr ||
      !context->admission) {
    return;
  }
  const ngx_rtmp_live_ctx_t* live = live_context(s);
  if (live == nullptr || !live->publishing || live->stream == nullptr ||
      context->claimed_name != reinterpret_cast<const char*>(live->stream->name)) {
    return withdraw(*context);  // the live module did not let it in
  }
  recorder::Admission admission = std::move(*context->admission);
  context->admission.reset();
  replace_publisher(*context);
  recorder::Publisher publisher;
  publisher.app = to_string(app_of(s));
  publisher.name = context->claimed_name;
  publisher.rules = rtmp_app_conf(s)->rules;
  publisher.rules.transcoded = transcoder_conf(s) != nullptr;
  publisher.connection = s;
  publisher.disconnect = [s] { ngx_rtmp_finalize_session(s); };
  context->session = application()->recorder().begin(std::move(publisher), std::move(admission));
  begin_live(s, *context);
  if (context->session != nullptr && context->metadata && context->metadata->frame_rate) {
    context->session->declare_frame_rate(*context->metadata->frame_rate);
  }
  for (const media::TrackKind kind : {media::TrackKind::kVideo, media::TrackKind::kAudio}) {
    Bytes& header = context->headers[static_cast<std::size_t>(kind)];
    if (!header.empty()) {
      const iovec piece{header.data(), header.size()};
      hand_over(*context, kind, 0, {&piece, 1});
    }
  }
}

ngx_int_t recorder_publish(ngx_rtmp_session_t* s, ngx_rtmp_publish_t* v) noexcept {
  (void)guard(s->connection->log, "publish", 0, [&] {
    if (is_ours(s)) {
      accept_publisher(s);
    }
    return 0;
  });
  return next_publish(s, v);
}

// Called twice for a normal end, and for sessions that never published.
ngx_int_t recorder_close_stream(ngx_rtmp_session_t* s, ngx_rtmp_close_stream_t* v) noexcept {
  (void)guard(s->connection->log, "close_stream", 0, [&] {
    PublisherContext* context = context_of(s);
    if (context != nullptr) {
      withdraw(*context);
      end_live(*context);
      if (context->session != nullptr) {
        // On a lost connection nginx-rtmp closes the stream on the encoder's behalf.
        const bool lost = s->connection->destroyed || s->connection->read->eof;
        application()->recorder().end(
            std::exchange(context->session, nullptr),
            lost ? recorder::SessionEnd::kInterrupted : recorder::SessionEnd::kGoodbye);
      }
    }
    return 0;
  });
  hold_worker();
  return next_close_stream(s, v);
}

ngx_int_t on_av(ngx_rtmp_session_t* s, ngx_rtmp_header_t* h, ngx_chain_t* in) noexcept {
  return guard(s->connection->log, "message", NGX_OK, [&] {
    const auto kind =
        h->type == NGX_RTMP_MSG_VIDEO ? media::TrackKind::kVideo : media::TrackKind::kAudio;
    const media::Pieces message = pieces_of(in);
    keep_header(s, kind, message);
    PublisherContext* context = context_of(s);
    if (context != nullptr) {
      hand_over(*context, kind, h->timestamp, message);
    }
    return NGX_OK;
  });
}

ngx_int_t on_metadata(ngx_rtmp_session_t* s, ngx_rtmp_header_t* /*h*/, ngx_chain_t* in) noexcept {
  return guard(s->connection->log, "metadata", NGX_OK, [&] {
    if (is_ours(s)) {
      take_metadata(s, in);
    }
    return NGX_OK;
  });
}

// In front of nginx-rtmp's own handlers, which move on in the message that they read.
bool handle(ngx_rtmp_core_main_conf_t* core, ngx_uint_t type, ngx_rtmp_handler_pt with) {
  auto* handler = static_cast<ngx_rtmp_handler_pt*>(ngx_array_push(&core->events[type]));
  if (handler != nullptr) {
    *handler = with;
  }
  return handler != nullptr;
}

}  // namespace

ngx_int_t hook_gate(ngx_conf_t* /*cf*/) noexcept {
  next_gate_publish = ngx_rtmp_publish;
  ngx_rtmp_publish = gate_publish;
  return NGX_OK;
}

ngx_int_t hook_publisher(ngx_conf_t* cf) noexcept {
  auto* core = static_cast<ngx_rtmp_core_main_conf_t*>(
      ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_core_module));
  if (!handle(core, NGX_RTMP_MSG_AUDIO, on_av) || !handle(core, NGX_RTMP_MSG_VIDEO, on_av) ||
      !handle(core, NGX_RTMP_MSG_AMF_META, on_metadata) ||
      !handle(core, NGX_RTMP_MSG_AMF3_META, on_metadata)) {
    return NGX_ERROR;
  }
  next_publish = ngx_rtmp_publish;
  ngx_rtmp_publish = recorder_publish;
  next_close_stream = ngx_rtmp_close_stream;
  ngx_rtmp_close_stream = recorder_close_stream;
  return NGX_OK;
}

}  // namespace recording::ngx
