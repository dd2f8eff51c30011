#pragma once

#include <functional>

#include "api/api.hpp"
#include "api/routes.hpp"

// The calls of the table of routes. Each answers through call.done exactly once.
namespace recording::api {

struct Call {
  Backend* backend;
  Request request;
  Target target;
  std::function<void(Response)> done;
};

void list_streams(Call call);
void add_stream(Call call);
void get_stream(Call call);
void change_stream(Call call);
void delete_stream(Call call);
void list_sessions(Call call);

void start_recording(Call call);
void stop_recording(Call call);

void list_videos(Call call);
void get_video(Call call);
void change_video(Call call);
void delete_video(Call call);
void add_rendition(Call call);

void get_timeline(Call call);

void get_space(Call call);
void list_webhooks(Call call);
void watch_events(Call call);

}  // namespace recording::api
