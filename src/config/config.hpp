#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "exporter/links.hpp"
#include "transcode/settings.hpp"

namespace recording::config {

struct Webhook {
  std::string url, secret;
};

// The recording { } block, checked and with its defaults filled in.
struct Config {
  bool present = false;  // there is a recording { } block
  std::string storage;   // absolute path of a local folder
  std::string spool;     // absolute path
  std::string runtime = "/dev/shm/nginx-recording";
  std::string catalog_path;  // absolute path of the SQLite file
  std::int64_t min_free_bytes = std::int64_t{2} << 30;
  unsigned journal_percent = 25;
  std::uint64_t zone_bytes = 8 << 20;
  std::string public_url;            // without a final slash; empty: taken from the request
  exporter::LinkSecret link_secret;  // empty: links have no end
  std::int64_t keep_ms = 0;          // videos are deleted so long after they ended; 0: never
  unsigned workers = 1;              // jobs at once beside nginx; 0: they run elsewhere
  std::vector<transcode::RenditionSetting> renditions;  // made of every recording
  std::vector<Webhook> webhooks;
  std::string ffmpeg = "ffmpeg";  // as given, or where it was found

  // Of other blocks of nginx.conf, and of the module itself:
  std::map<std::string, bool> applications;  // those with `recording on`, and their auto_record
  std::map<std::string, std::string> transcoders;  // those with `transcoder on`: transcoder_path
  std::string launcher;                            // absolute path of recording-launcher
  std::string worker_program;                      // absolute path of recording-worker
};

inline std::vector<std::string> webhook_urls(const Config& config) {
  std::vector<std::string> urls;
  for (const Webhook& webhook : config.webhooks) {
    urls.push_back(webhook.url);
  }
  return urls;
}

}  // namespace recording::config
