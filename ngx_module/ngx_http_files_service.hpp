#pragma once

#include "ngx_headers.hpp"

#include "app/application.hpp"
#include "exporter/video_opener.hpp"

namespace recording::ngx {

// What the downloads of this worker share: the finder of videos and the files it keeps open, with a
// timer that closes them again. Made with the first download; it dies with the cycle's pool.
class FilesService {
 public:
  // This worker's; nullptr when out of memory.
  static FilesService* of(app::Application& application);

  explicit FilesService(app::Application& application);
  ~FilesService();
  FilesService(const FilesService&) = delete;
  FilesService& operator=(const FilesService&) = delete;

  exporter::VideoOpener& opener() { return opener_; }
  Executor& io() { return io_; }
  // Call it whenever files may have been opened.
  void keep_sweeping();

 private:
  static void sweep_event(ngx_event_t* event) noexcept;

  app::Application* application_;
  Executor& io_;
  exporter::VideoOpener opener_;
  ngx_event_t event_{};
  ngx_connection_t connection_{};  // debug builds of nginx look for its fd
};

}  // namespace recording::ngx
