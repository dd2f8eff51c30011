#include "ngx_headers.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/clip_query.hpp"
#include "exporter/links.hpp"
#include "exporter/playback_text.hpp"
#include "exporter/video_path.hpp"
#include "ngx_application.hpp"
#include "ngx_http_download.hpp"
#include "ngx_http_files_service.hpp"
#include "ngx_http_live_files.hpp"
#include "ngx_http_pages.hpp"
#include "ngx_http_pending.hpp"
#include "ngx_http_recording_conf.hpp"
#include "ngx_http_reply.hpp"
#include "ngx_http_request_path.hpp"
#include "ngx_str.hpp"
#include "transcode/live_path.hpp"

namespace recording::ngx {
namespace {

using exporter::ServedVideo;
using exporter::VideoBytes;
using exporter::VideoPart;
using exporter::VideoPath;
using VideoPtr = std::shared_ptr<const ServedVideo>;

// What a client asked for that is not to be had, in the API's words: "code: sentence".
struct ClipFault {
  std::string_view code;
  ngx_uint_t status;
};
constexpr ClipFault kClipFaults[] = {{"epoch_not_found", NGX_HTTP_NOT_FOUND},
                                     {"beyond_the_end", NGX_HTTP_RANGE_NOT_SATISFIABLE}};

constexpr ngx_int_t kGone = 410;  // RFC 9110, 15.5.11; nginx has no name for it

ngx_int_t refuse_clip(ngx_http_request_t* r, std::string_view message) {
  for (const auto& [code, status] : kClipFaults) {
    if (message.starts_with(code)) {
      return send_json_error(r, status, code, message.substr(code.size() + 2));
    }
  }
  return send_json_error(r, NGX_HTTP_BAD_REQUEST, "bad_parameter", message);
}

// Why there is nothing to play: the words that the page has sentences for.
ngx_int_t refuse_playback(ngx_http_request_t* r, std::string_view message) {
  for (const std::string_view code : {"no_media_yet", "video_deleted", "too_short"}) {
    if (message.starts_with(code)) {
      return send_json_error(r, NGX_HTTP_NOT_FOUND, code, message.substr(code.size() + 2));
    }
  }
  return send_json_error(r, NGX_HTTP_NOT_FOUND, "video_not_found", "there is no such video");
}

void refuse(PendingRequest& pending, ngx_http_request_t* r, VideoBytes asked, const Error& error) {
  if (error.code == Errc::kInvalidArgument) {
    return pending.finish(refuse_clip(r, error.message));
  }
  if (error.code == Errc::kNotFound && asked == VideoBytes::kMaster) {
    return pending.finish(refuse_playback(r, error.message));
  }
  if (error.code != Errc::kNotFound) {
    log_error(r->connection->log, "download", error);
  }
  pending.finish(static_cast<ngx_int_t>(http_status(error.code)));
}

// A name that was not given is the video's, which only the catalogue knows, and the quality's.
void send_as_attachment(FilesService& service, const std::shared_ptr<PendingRequest>& pending,
                        const std::shared_ptr<Download>& download, const VideoPath& path,
                        VideoPtr video) {
  service.opener().find_name(
      path.slug, [pending, download, quality = path.name == "source" ? "" : " " + path.name,
                  video = std::move(video)](const std::string& name) {
        pending->resume("download", [&](ngx_http_request_t*) {
          download->send(video, exporter::content_disposition(name + quality));
        });
      });
}

void start_download(ngx_http_request_t* r, FilesService& service,
                    const std::shared_ptr<PendingRequest>& pending, VideoPath path,
                    VideoPart part) {
  auto download = Download::create(pending, service.io());
  if (download == nullptr) {
    return pending->fail();
  }
  r->connection->log->action = const_cast<char*>("opening a recording");
  std::string slug = path.slug;
  service.opener().open(
      std::move(slug), std::move(part),
      [&service, pending, download, path = std::move(path)](Result<VideoPtr> video) {
        pending->resume("download", [&](ngx_http_request_t* request) {
          service.keep_sweeping();
          if (!video) {
            return refuse(*pending, request, path.bytes, video.error());
          }
          request->connection->log->action = const_cast<char*>("sending response to client");
          if (path.attachment && path.attachment_name.empty()) {
            return send_as_attachment(service, pending, download, path, std::move(video).value());
          }
          download->send(std::move(video).value(),
                         path.attachment ? exporter::content_disposition(path.attachment_name)
                                         : std::string());
        });
      });
}

// The page is the same for every video; whether there is one decides its status, and the page asks
// for the playlist to say why not.
void send_page(FilesService& service, const std::shared_ptr<PendingRequest>& pending,
               const std::string& slug) {
  service.opener().open(slug, VideoBytes::kMovie, [&service, pending](Result<VideoPtr> video) {
    pending->resume("player page", [&](ngx_http_request_t* r) {
      service.keep_sweeping();
      const bool absent = !video && video.error().code == Errc::kNotFound &&
                          !video.error().message.starts_with("no_media_yet");
      if (!video && video.error().code != Errc::kNotFound) {
        return refuse(*pending, r, VideoBytes::kPage, video.error());
      }
      pending->finish(
          serve_page(r, pages::video_page(), absent ? NGX_HTTP_NOT_FOUND : NGX_HTTP_OK));
    });
  });
}

std::string_view argument(ngx_http_request_t* r, std::string_view name) {
  const ngx_str_t key = to_ngx_str(name);
  ngx_str_t value = ngx_null_string;
  (void)ngx_http_arg(r, key.data, key.len, &value);
  return to_view(value);
}

// NGX_OK, or the status of a link that was not given, is not ours, or has ended.
ngx_int_t check_link(ngx_http_request_t* r, const exporter::LinkSecret& secret) {
  if (secret.text.empty()) {
    return NGX_OK;
  }
  const exporter::LinkArguments link{to_view(r->uri), argument(r, "md5"), argument(r, "expires"),
                                     argument(r, "only")};
  switch (exporter::check_link(link, secret.text, ngx_time())) {
    case exporter::LinkCheck::kGood:
      return NGX_OK;
    case exporter::LinkCheck::kExpired:
      return kGone;
    case exporter::LinkCheck::kWrong:
      break;
  }
  return NGX_HTTP_FORBIDDEN;
}

// The files of a session need no link of their own: its name is a secret that only a good link to
// the playlist leads to, and players do not add arguments to the URLs in playlists.
ngx_int_t serve_live_path(ngx_http_request_t* r, app::Application& app, std::string_view raw) {
  const auto live = transcode::parse_live_path(raw);
  if (!live || live->session.empty()) {
    if (const ngx_int_t refused = check_link(r, app.config().link_secret); refused != NGX_OK) {
      return refused;
    }
  }
  return live ? serve_live(r, app, *live) : NGX_HTTP_NOT_FOUND;
}

ngx_int_t handle(ngx_http_request_t* r) {
  if (const ngx_int_t rc = accept_reading(r); rc != NGX_OK) {
    return rc;
  }
  app::Application* app = application();
  if (app == nullptr) {
    return NGX_HTTP_SERVICE_UNAVAILABLE;
  }
  if (const auto raw = raw_path(r); raw && raw->starts_with("live/")) {
    return serve_live_path(r, *app, *raw);
  }
  const auto below = decoded_path(r);
  if (constexpr std::string_view kPlayer = "player/"; below && below->starts_with(kPlayer)) {
    const pages::Asset* asset = pages::find_asset(std::string_view(*below).substr(kPlayer.size()));
    return asset != nullptr ? serve_asset(r, *asset) : NGX_HTTP_NOT_FOUND;
  }
  std::optional<VideoPath> path = below ? exporter::parse_video_path(*below) : std::nullopt;
  if (const ngx_int_t refused = check_link(r, app->config().link_secret); refused != NGX_OK) {
    // The page holds nothing of a video, and has words for people.
    return path && path->bytes == VideoBytes::kPage
               ? serve_page(r, pages::video_page(), static_cast<ngx_uint_t>(refused))
               : refused;
  }
  if (!path) {
    return NGX_HTTP_NOT_FOUND;
  }
  VideoPart part(path->bytes, {}, path->name);
  if (path->bytes == VideoBytes::kMovie || path->bytes == VideoBytes::kRaw) {
    auto clip = exporter::parse_clip(to_view(r->args));
    if (!clip) {
      return refuse_clip(r, clip.error().message);
    }
    if (clip.value() && path->bytes == VideoBytes::kRaw) {
      return refuse_clip(r, "raw bytes cannot be cut; ask for the .mp4");
    }
    part.clip = clip.value();
  } else if (path->bytes == VideoBytes::kMaster || path->bytes == VideoBytes::kPlaylist) {
    // Players add no arguments to what a playlist names: those of a link, or of whatever else the
    // server's access rules ask for, are handed on.
    part.query = exporter::clean_query(to_view(r->args));
  }
  FilesService* service = FilesService::of(*app);
  const auto pending = service != nullptr ? PendingRequest::of(r) : nullptr;
  if (pending == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  pending->resume("download", [&](ngx_http_request_t* request) {
    if (path->bytes == VideoBytes::kPage) {
      return send_page(*service, pending, path->slug);
    }
    start_download(request, *service, pending, std::move(*path), std::move(part));
  });
  return pending->suspend();
}

}  // namespace

ngx_int_t files_handler(ngx_http_request_t* r) noexcept {
  return guard(r->connection->log, "download", NGX_HTTP_INTERNAL_SERVER_ERROR,
               [&] { return handle(r); });
}

}  // namespace recording::ngx
