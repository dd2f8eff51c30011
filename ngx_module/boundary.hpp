#pragma once

// Rules of the boundary between nginx and the core:
//  1. Every function whose address nginx holds is one guard(); no exception crosses a C frame.
//  2. Calls to the next link of a chain (next_publish, next filter) stand outside the guard; a
//     fault of ours is logged and never refuses a publisher.
//  3. An error is logged once, here, with its errno; the core returns errors and logs none of them.
//  4. Text is never a format: "%*s" with size and pointer.
//  5. What nginx's slot setters write is a standard-layout base struct; nginx holds a pointer to
//  it.
//  6. Nothing learned from a configuration lives in a static: it is read from the cycle. Hooks are
//     the exception, set idempotently.
//  7. Destructors of configuration objects free memory and do nothing else.
//  8. A main conf is null when its block is absent: test it first.

#include "ngx_headers.hpp"

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "base/result.hpp"

namespace recording::ngx {

inline void log_error(ngx_log_t* log, const char* where, const Error& error) noexcept {
  const ngx_uint_t level = error.code == Errc::kInternal ? NGX_LOG_CRIT : NGX_LOG_ERR;
  ngx_log_error(level, log, error.sys_errno, "recording: %s: %*s", where, error.message.size(),
                error.message.data());
}

// Runs `body` and lets no exception out.
template <class Body, class R = std::invoke_result_t<Body>>
R guard(ngx_log_t* log, const char* where, std::type_identity_t<R> on_error, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    ngx_log_error(NGX_LOG_CRIT, log, NGX_ENOMEM, "recording: %s", where);
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_CRIT, log, 0, "recording: %s: %s", where, e.what());
  } catch (...) {
    ngx_log_error(NGX_LOG_CRIT, log, 0, "recording: %s: unknown exception", where);
  }
  return on_error;
}

// NGX_CONF_ERROR is a void*, which C++ does not turn into a char* by itself.
inline char* conf_error() noexcept { return static_cast<char*>(NGX_CONF_ERROR); }
// A fragment that nginx completes to "<directive>" directive <text> in <file>:<line>.
inline char* conf_says(const char* text) noexcept { return const_cast<char*>(text); }

// Where a directive stands, for errors that can be known only when all has been parsed.
// The name lives as long as the configuration.
struct Position {
  ngx_str_t file;
  ngx_uint_t line;  // 0: the directive was not given
};
static_assert(std::is_trivial_v<Position>);

inline Position position_of(const ngx_conf_t* cf) noexcept {
  return cf->conf_file == nullptr ? Position{ngx_null_string, 0}
                                  : Position{cf->conf_file->file.name, cf->conf_file->line};
}

// Builds a T in the pool; ~T runs when the pool dies. nullptr when out of memory.
// If T's constructor throws, the cleanup entry is left without a handler, so nothing is destroyed.
template <class T, class... Args>
T* pool_new(ngx_pool_t* pool, Args&&... args) {
  static_assert(alignof(T) <= NGX_ALIGNMENT, "ngx_palloc aligns to a machine word only");
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(pool, sizeof(T));
  if (cleanup == nullptr) {
    return nullptr;
  }
  T* object = ::new (cleanup->data) T(std::forward<Args>(args)...);
  if constexpr (!std::is_trivially_destructible_v<T>) {
    cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };
  }
  return object;
}

}  // namespace recording::ngx
