#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/replies.hpp"
#include "api/space_json.hpp"
#include "recorder/space.hpp"

namespace recording::api {

Json space_json(Backend& backend) {
  const recorder::Space space = recorder::space_of(backend.state(), backend.min_free_bytes());
  return {{"free_bytes", space.free_bytes >= 0 ? Json(space.free_bytes) : Json(nullptr)},
          {"min_free_bytes", space.min_free_bytes},
          {"bytes_per_second", space.bytes_per_second},
          {"left_seconds", space.left_seconds ? Json(*space.left_seconds) : Json(nullptr)},
          {"low", space.low}};
}

void get_space(Call call) { call.done(reply(200, space_json(*call.backend))); }

}  // namespace recording::api
