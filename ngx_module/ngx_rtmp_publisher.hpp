#pragma once

#include "ngx_headers.hpp"

namespace recording::ngx {

// The hooks into the life of a publisher, in the order in which nginx-rtmp calls them. Each saves
// the next link of its chain; called once per configuration, from postconfiguration.

// Runs when on_publish has accepted a publisher and before the live module lets it in: the place to
// refuse a second publisher of a name.
ngx_int_t hook_gate(ngx_conf_t* cf) noexcept;

// Runs last, when allow and deny have accepted it too: the place where recording begins; and the
// end of a stream, and its audio and video messages.
ngx_int_t hook_publisher(ngx_conf_t* cf) noexcept;

}  // namespace recording::ngx
