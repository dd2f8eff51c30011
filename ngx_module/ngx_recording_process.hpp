#pragma once

#include "ngx_headers.hpp"

namespace recording::ngx {

// Makes and destroys this worker's application. Both do nothing without a recording { } block, and
// in processes other than workers (nginx calls them in its cache manager and loader too). A worker
// whose application could not be made serves all else: init_process never fails for that.
ngx_int_t init_process(ngx_cycle_t* cycle) noexcept;
void exit_process(ngx_cycle_t* cycle) noexcept;

// Keeps a draining worker until what it must still write is written. To be called when a publisher
// went away; costs nothing when there is nothing to wait for.
void hold_worker() noexcept;

}  // namespace recording::ngx
