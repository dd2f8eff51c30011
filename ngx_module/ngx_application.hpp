#pragma once

#include "ngx_headers.hpp"

#include "app/application.hpp"

namespace recording::ngx {

// This worker's application; nullptr without a recording { } block, in the master, under `nginx -t`
// and when it could not be made (then the log says why). Event loop only.
app::Application* application() noexcept;

}  // namespace recording::ngx
