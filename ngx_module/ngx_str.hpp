#pragma once

#include "ngx_headers.hpp"

#include <string>
#include <string_view>
#include <vector>

// ngx_str_t has no final NUL (URI, arguments), and nginx takes u_char* for bytes that it only
// reads: all casts between the two worlds are here.
namespace recording::ngx {

inline std::string_view to_view(const ngx_str_t& text) noexcept {
  return {reinterpret_cast<const char*>(text.data), text.len};
}

inline std::string to_string(const ngx_str_t& text) { return std::string(to_view(text)); }

// Refers to the bytes of `text`, which must outlive it; nobody may write through it.
inline ngx_str_t to_ngx_str(std::string_view text) noexcept {
  return {text.size(), const_cast<u_char*>(reinterpret_cast<const u_char*>(text.data()))};
}
ngx_str_t to_ngx_str(const char*) = delete;  // say std::string_view: a length is to be known

// The parameters of a directive, without its name.
inline std::vector<std::string_view> parameters_of(const ngx_conf_t* cf) {
  const auto* words = static_cast<const ngx_str_t*>(cf->args->elts);
  std::vector<std::string_view> list;
  for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
    list.push_back(to_view(words[i]));
  }
  return list;
}

// A copy in the pool; {0, nullptr} when out of memory.
inline ngx_str_t copy_to_pool(ngx_pool_t* pool, std::string_view text) noexcept {
  auto* data = static_cast<u_char*>(ngx_pnalloc(pool, text.empty() ? 1 : text.size()));
  if (data == nullptr) {
    return {0, nullptr};
  }
  ngx_memcpy(data, text.data(), text.size());
  return {text.size(), data};
}

}  // namespace recording::ngx
