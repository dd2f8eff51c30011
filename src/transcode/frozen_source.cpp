#include "transcode/frozen_source.hpp"

namespace recording::transcode {

const char* origin_name(Origin origin) {
  switch (origin) {
    case Origin::kMetadata:
      return "onMetaData";
    case Origin::kConfiguration:
      return "configuration";
    case Origin::kTimestamps:
      return "timestamps";
    case Origin::kDefault:
      return "default";
    default:
      return "not known";
  }
}

}  // namespace recording::transcode
