// process-video SOURCE FOLDER LAUNCHER FFMPEG PICTURES [NAME:HEIGHT:VIDEO_BPS:AUDIO_BPS…]
//
// src/processing for tests and benches, without jobs and catalogue: prints the outcome as JSON,
// progress on standard error. SIGTERM cancels.
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "processing/video_processor.hpp"
#include "storage/posix_file.hpp"

namespace {

using namespace recording;

std::atomic<bool> cancelled = false;

class Teller final : public processing::Observer {
 public:
  void progressed(double part) override { std::fprintf(stderr, "progress %.3f\n", part); }
  bool cancelled() override { return ::cancelled; }
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

void print(const processing::Outcome& outcome) {
  std::printf("{\"missing\":%s,\"poster\":%s,\"screenshots\":%d,\"sprite\":%s,\"error\":%s,",
              quoted(outcome.missing).c_str(), outcome.pictures.poster ? "true" : "false",
              outcome.pictures.screenshots, outcome.pictures.sprite ? "true" : "false",
              quoted(outcome.pictures.error).c_str());
  const char* between = "";
  std::printf("\"renditions\":[");
  for (const processing::Rendition& one : outcome.renditions) {
    std::printf(
        "%s{\"name\":%s,\"width\":%u,\"height\":%u,\"size\":%llu,\"duration\":%lld,"
        "\"error\":%s}",
        between, quoted(one.name).c_str(), one.width, one.height,
        static_cast<unsigned long long>(one.size), static_cast<long long>(one.duration_ms),
        quoted(one.error).c_str());
    between = ",";
  }
  std::printf("]}\n");
}

bool read_setting(const char* text, processing::RenditionSetting& setting) {
  char name[64];
  long long video = 0, audio = 0;
  if (std::sscanf(text, "%63[^:]:%d:%lld:%lld", name, &setting.height, &video, &audio) != 4) {
    return false;
  }
  setting.name = name;
  setting.video_bps = video;
  setting.audio_bps = audio;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "process-video SOURCE FOLDER LAUNCHER FFMPEG PICTURES [RENDITION…]\n");
    return 2;
  }
  std::signal(SIGTERM, [](int) { cancelled = true; });
  processing::Order order;
  order.source = argv[1];
  order.folder = argv[2];
  order.launcher = argv[3];
  order.ffmpeg = argv[4];
  order.pictures = std::atoi(argv[5]) != 0;
  for (int i = 6; i < argc; ++i) {
    if (!read_setting(argv[i], order.renditions.emplace_back())) {
      std::fprintf(stderr, "NAME:HEIGHT:VIDEO_BPS:AUDIO_BPS, not %s\n", argv[i]);
      return 2;
    }
  }
  storage::PosixFileSystem files;
  Teller teller;
  auto outcome = processing::process_video(files, order, teller);
  while (::wait(nullptr) > 0) {  // what they took is then counted as ours
  }
  if (!outcome) {
    std::printf("{\"failed\":%s,\"code\":%d}\n", quoted(outcome.error().message).c_str(),
                static_cast<int>(outcome.error().code));
    return 1;
  }
  print(outcome.value());
  return 0;
}
