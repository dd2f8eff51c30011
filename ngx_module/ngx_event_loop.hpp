#pragma once

#include "ngx_headers.hpp"

#include "base/event_loop.hpp"

namespace recording::ngx {

// Descriptors of ours in nginx's event loop, each as a connection of it.
class NgxEventLoop final : public EventLoop {
 public:
  std::unique_ptr<Watch> watch(int fd, For what, std::function<void()> ready) override;
};

}  // namespace recording::ngx
