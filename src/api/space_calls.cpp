#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/replies.hpp"
#include "recorder/space.hpp"

namespace recording::api {

void get_space(Call call) {
  const recorder::Space space =
      recorder::space_of(call.backend->state(), call.backend->min_free_bytes());
  call.done(
      reply(200, {{"free_bytes", space.free_bytes >= 0 ? Json(space.free_bytes) : Json(nullptr)},
                  {"min_free_bytes", space.min_free_bytes},
                  {"bytes_per_second", space.bytes_per_second},
                  {"left_seconds", space.left_seconds ? Json(*space.left_seconds) : Json(nullptr)},
                  {"low", space.low}}));
}

}  // namespace recording::api
