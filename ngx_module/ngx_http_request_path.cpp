#include "ngx_http_request_path.hpp"

#include <algorithm>
#include <array>

#include "ngx_http_recording_conf.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

constexpr in_port_t kRtmpPort = 1935;

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Whether `raw`, decoded once, is `decoded`.
bool decodes_to(std::string_view raw, std::string_view decoded) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < raw.size(); ++i, ++at) {
    char c = raw[i];
    if (c == '%') {
      const int high = i + 2 < raw.size() ? hex_value(raw[i + 1]) : -1;
      const int low = high >= 0 ? hex_value(raw[i + 2]) : -1;
      if (low < 0) {
        return false;
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (at == decoded.size() || decoded[at] != c) {
      return false;
    }
  }
  return at == decoded.size();
}

std::optional<std::string_view> below(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) {
    return std::nullopt;
  }
  path.remove_prefix(prefix.size());
  if (!prefix.ends_with('/') && !path.empty()) {
    if (path.front() != '/') {
      return std::nullopt;
    }
    path.remove_prefix(1);
  }
  return path;
}

// A Host header is the client's: what can be no host name or address with a port goes into no link.
bool is_plain_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:[]").find(c) != std::string_view::npos;
  });
}

// With its port where it was given.
std::string request_host(ngx_http_request_t* r) {
  if (r->headers_in.host != nullptr && is_plain_host(to_view(r->headers_in.host->value))) {
    return to_string(r->headers_in.host->value);
  }
  std::array<u_char, NGX_SOCKADDR_STRLEN> text{};
  ngx_str_t address{text.size(), text.data()};
  if (ngx_connection_local_sockaddr(r->connection, &address, 1) != NGX_OK) {
    return "localhost";
  }
  return to_string(address);
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool in_address = bracket != host.npos && colon != host.npos && colon < bracket;
  return colon == host.npos || in_address ? host : host.substr(0, colon);
}

bool is_https([[maybe_unused]] ngx_http_request_t* r) {
#if (NGX_HTTP_SSL)
  return r->connection->ssl != nullptr;
#else
  return false;
#endif
}

// The port of the first `listen` of the rtmp block; 0: there is none.
in_port_t first_rtmp_port() {
  auto* contexts =
      reinterpret_cast<ngx_rtmp_conf_ctx_t*>(ngx_get_conf(ngx_cycle->conf_ctx, ngx_rtmp_module));
  if (contexts == nullptr) {
    return 0;
  }
  const auto* core =
      static_cast<ngx_rtmp_core_main_conf_t*>(contexts->main_conf[ngx_rtmp_core_module.ctx_index]);
  if (core->listen.nelts == 0) {
    return 0;
  }
  auto* first = static_cast<ngx_rtmp_listen_t*>(core->listen.elts);
  return ngx_inet_get_port(reinterpret_cast<sockaddr*>(first->sockaddr));
}

}  // namespace

std::string percent_encode_path(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        std::string_view("-._~/").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string_view location_prefix(ngx_http_request_t* r) {
  return to_view(
      static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module))
          ->name);
}

std::optional<std::string_view> decoded_path(ngx_http_request_t* r) {
  return below(to_view(r->uri), location_prefix(r));
}

std::optional<std::string> raw_path(ngx_http_request_t* r) {
  const std::optional<std::string_view> decoded = decoded_path(r);
  if (!decoded) {
    return std::nullopt;
  }
  if (r->valid_unparsed_uri) {
    const std::string_view path = to_view(r->unparsed_uri);
    const auto raw = below(path.substr(0, path.find_first_of("?#")), location_prefix(r));
    if (raw && decodes_to(*raw, *decoded)) {
      return std::string(*raw);
    }
  }
  return percent_encode_path(*decoded);
}

exporter::Links make_links(ngx_http_request_t* r, const config::Config& config) {
  std::string prefix(files_prefix(r));
  if (prefix.empty()) {
    return {};
  }
  if (!prefix.ends_with('/')) {
    prefix += '/';
  }
  std::string url = config.public_url.empty()
                        ? (is_https(r) ? "https://" : "http://") + request_host(r)
                        : config.public_url;
  url += percent_encode_path(prefix);
  return {std::move(url), std::move(prefix), config.link_secret, ngx_time()};
}

std::string rtmp_url(ngx_http_request_t* r) {
  const in_port_t port = first_rtmp_port();
  if (port == 0) {
    return {};
  }
  std::string url = "rtmp://" + std::string(without_port(request_host(r)));
  if (port != kRtmpPort) {
    url += ':' + std::to_string(port);
  }
  return url + '/';
}

}  // namespace recording::ngx
