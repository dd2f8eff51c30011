#include "ngx_http_files_service.hpp"

#include <memory>

#include "boundary.hpp"

namespace recording::ngx {
namespace {

// The space of a file that was deleted while it is kept open comes back within this time.
constexpr ngx_msec_t kSweepInterval = 5000;

// Of this process. Nothing of a configuration is in here: it belongs to a running application.
FilesService* current_service =
    nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

FilesService* FilesService::of(app::Application& application) {
  if (current_service == nullptr || current_service->application_ != &application) {
    auto* made = pool_new<std::unique_ptr<FilesService>>(ngx_cycle->pool);
    if (made == nullptr) {
      return nullptr;
    }
    *made = std::make_unique<FilesService>(application);
    current_service = made->get();
  }
  return current_service;
}

FilesService::FilesService(app::Application& application)
    : application_(&application),
      io_(application.reads()),
      opener_(
          {application.state(), application.catalog(), application.reads(), application.clock()},
          {application.config().spool, application.config().storage}) {
  connection_.fd = static_cast<ngx_socket_t>(-1);
  connection_.data = this;
  event_.data = &connection_;
  event_.handler = sweep_event;
  event_.log = ngx_cycle->log;
  event_.cancelable = 1;  // it keeps no worker from leaving
}

FilesService::~FilesService() {
  if (event_.timer_set) {
    ngx_del_timer(&event_);
  }
  if (current_service == this) {
    current_service = nullptr;
  }
}

void FilesService::keep_sweeping() {
  if (!event_.timer_set && !opener_.idle()) {
    ngx_add_timer(&event_, kSweepInterval);
  }
}

void FilesService::sweep_event(ngx_event_t* event) noexcept {
  auto* self = static_cast<FilesService*>(static_cast<ngx_connection_t*>(event->data)->data);
  (void)guard(event->log, "close idle downloads", false, [&] {
    self->opener_.sweep();
    self->keep_sweeping();
    return true;
  });
}

}  // namespace recording::ngx
