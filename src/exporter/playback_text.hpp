#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/hls_index.hpp"

namespace recording::exporter {

// What players read of a video (RFC 8216 and WebVTT). URIs are relative; `query`, which is put
// behind each, is encoded, without '?', and may be empty.

// The segments of one file, which is to be had at `uri`.
std::string media_playlist(const HlsIndex& index, const std::string& uri, const std::string& query);

// One of the qualities that a multivariant playlist names.
struct HlsVariant {
  std::string name;  // its playlist is {name}.m3u8
  HlsIndex index;
};
std::string multivariant_playlist(const std::vector<HlsVariant>& variants,
                                  const std::string& query);

// A chapter for each stretch without an interruption; none where there is no interruption.
std::string chapters_vtt(const HlsIndex& index);

// A query as a client sent it, fit to stand in a playlist: what a URI cannot have is encoded.
std::string clean_query(std::string_view query);

}  // namespace recording::exporter
