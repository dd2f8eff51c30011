#include "api/live_view.hpp"

#include "recorder/stream_settings.hpp"

namespace recording::api {

namespace {

using Transaction = runtime::LiveState::Transaction;

// One that may be withdrawn still is shown where the application records all.
bool is_shown(const runtime::RecordingRecord& recording) {
  return recording.tentative == 0 ||
         (recording.rules.auto_record != 0 && !recorder::is_withdrawn(recording));
}

LiveStream copy_stream(const Transaction& live, std::int32_t index) {
  LiveStream copy;
  copy.index = index;
  copy.stream = *live.stream(index);
  const auto* recording = live.recording(copy.stream.recording);
  if (recording != nullptr && is_shown(*recording)) {
    copy.recording = *recording;
  }
  return copy;
}

LiveVideo copy_video(const Transaction& live, std::int32_t index) {
  const runtime::RecordingRecord& recording = *live.recording(index);
  const auto* stream = live.stream(recording.stream);
  LiveVideo copy;
  copy.recording = recording;
  if (stream != nullptr) {
    copy = live_video_of(recording, *stream);
    copy.current = stream->recording == index;
  }
  if (!copy.current) {
    copy.width = copy.height = 0;  // the session that is there now is another one's
  }
  copy.index = index;
  return copy;
}

std::int32_t find_target(const Transaction& live, const Target& target) {
  return target.id ? live.find_stream(*target.id) : live.find_stream(target.app, target.name);
}

}  // namespace

LiveVideo live_video_of(const runtime::RecordingRecord& recording,
                        const runtime::StreamRecord& stream) {
  LiveVideo video;
  video.recording = recording;
  video.app = std::string(stream.app.view());
  video.stream_name = std::string(stream.name.view());
  if (video.recording.stream_id == 0) {
    video.recording.stream_id = stream.stream_id;
  }
  if (stream.session.id == 0) {
    return video;
  }
  if (recording.recorded == runtime::Recorded::kRendition) {
    // The best one is the first; all zero until it is known what they are.
    video.width = stream.playback.renditions.front().width;
    video.height = stream.playback.renditions.front().height;
  } else {
    video.width = stream.session.width;
    video.height = stream.session.height;
  }
  return video;
}

Result<bool> has_open_recording(runtime::LiveState& state, const Target& target) {
  Result<Transaction> live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  const std::int32_t index = find_target(live.value(), target);
  bool found = false;
  live.value().for_each_recording([&](std::int32_t, const runtime::RecordingRecord& recording) {
    found = found || (index != runtime::kNone && recording.stream == index &&
                      !recorder::is_withdrawn(recording));
  });
  return found;
}

Result<std::optional<LiveStream>> find_live_stream(runtime::LiveState& state,
                                                   const Target& target) {
  Result<Transaction> live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  const std::int32_t index = find_target(live.value(), target);
  if (live.value().stream(index) == nullptr) {
    return std::optional<LiveStream>();
  }
  return std::optional<LiveStream>(copy_stream(live.value(), index));
}

Result<std::vector<LiveStream>> live_streams_without_id(runtime::LiveState& state) {
  Result<Transaction> live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  std::vector<LiveStream> found;
  live.value().for_each_stream([&](std::int32_t index, const runtime::StreamRecord& stream) {
    if (stream.stream_id == 0 && stream.session.id != 0) {
      found.push_back(copy_stream(live.value(), index));
    }
  });
  return found;
}

Result<std::vector<LiveStream>> busy_streams(runtime::LiveState& state) {
  Result<Transaction> live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  std::vector<LiveStream> found;
  live.value().for_each_stream([&](std::int32_t index, const runtime::StreamRecord& stream) {
    if (stream.session.id != 0 || stream.recording != runtime::kNone) {
      found.push_back(copy_stream(live.value(), index));
    }
  });
  return found;
}

Result<std::vector<std::optional<LiveStream>>> live_streams_of(
    runtime::LiveState& state, const std::vector<catalog::StreamRow>& rows) {
  Result<Transaction> live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  std::vector<std::optional<LiveStream>> found(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t index = live.value().find_stream(rows[i].app, rows[i].name);
    if (live.value().stream(index) != nullptr) {
      found[i] = copy_stream(live.value(), index);
    }
  }
  return found;
}

Result<std::optional<LiveVideo>> find_live_video(runtime::LiveState& state, std::int64_t video_id) {
  Result<Transaction> live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  const std::int32_t index = live.value().find_recording_by_video(video_id);
  const runtime::RecordingRecord* recording = live.value().recording(index);
  if (recording == nullptr || !is_shown(*recording)) {
    return std::optional<LiveVideo>();
  }
  return std::optional<LiveVideo>(copy_video(live.value(), index));
}

Result<std::vector<LiveVideo>> live_videos(runtime::LiveState& state) {
  Result<Transaction> live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  std::vector<LiveVideo> found;
  live.value().for_each_recording([&](std::int32_t index, const runtime::RecordingRecord& record) {
    if (record.video_id != 0 && is_shown(record)) {  // without an id it cannot be addressed yet
      found.push_back(copy_video(live.value(), index));
    }
  });
  return found;
}

}  // namespace recording::api
