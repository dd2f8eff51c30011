#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace recording::exporter {

// What makes links end: each carries ?md5=…&expires=… as nginx's ngx_http_secure_link_module checks
// with
//
//   secure_link     $arg_md5,$arg_expires;
//   secure_link_md5 "$secure_link_expires$uri SECRET";
//
// where a URI counts without "/download" and what follows it behind ".mp4", without "/master.m3u8"
// and "/manifest.mpd", and behind a video's slug without any .m3u8, .media, .m4s, .vtt and .jpg: so
// that a link to a page is one to all that it plays and shows. With "only=1" the URI counts whole:
// so that a picture can be shown to somebody who may not see the video.
struct LinkSecret {
  std::string text;  // empty: links have no end
  std::int64_t valid_s = 24 * 3600;
};

// Makes the links to what recording_files serves.
class Links {
 public:
  Links() = default;  // it serves nowhere: all links are empty
  // `base_url`: absolute, percent-encoded, with a final slash: "https://media.example.com/videos/".
  // `uri`: what nginx's $uri has in its place: "/videos/". `now_s`: since 1970.
  Links(std::string base_url, std::string uri, const LinkSecret& secret, std::int64_t now_s)
      : base_url_(std::move(base_url)),
        uri_(std::move(uri)),
        secret_(secret.text),
        expires_s_(now_s + secret.valid_s) {}

  // `path`: below the prefix, percent-encoded; `query`: encoded, without '?'.
  [[nodiscard]] std::string to(const std::string& path, const std::string& query = "") const;
  // Good for this file alone, where to() makes one to all of a video's playback.
  [[nodiscard]] std::string to_picture(const std::string& path) const;

 private:
  [[nodiscard]] std::string make(const std::string& path, const std::string& query,
                                 std::string_view (*signed_of)(std::string_view uri)) const;

  std::string base_url_, uri_, secret_;
  std::int64_t expires_s_ = 0;
};

enum class LinkCheck { kGood, kWrong, kExpired };

// `uri`: nginx's $uri; the others: the arguments as they were sent.
struct LinkArguments {
  std::string_view uri, md5, expires, only;
};
// Takes as long for every wrong md5.
LinkCheck check_link(const LinkArguments& link, const std::string& secret, std::int64_t now_s);

}  // namespace recording::exporter
