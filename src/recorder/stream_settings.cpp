#include "recorder/stream_settings.hpp"

#include "recorder/live_change.hpp"

namespace recording::recorder {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

namespace {
constexpr std::int64_t kLongestSearchMs = 10000;
}

bool is_withdrawn(const RecordingRecord& record) {
  return record.state == RecordingState::kEnding && record.error.view() == kWithdrawn;
}

void withdraw(LiveState::Transaction& live, std::int32_t recording) {
  RecordingRecord& record = live.edit_recording(recording);
  record.state = RecordingState::kEnding;
  record.error.assign(kWithdrawn);
  if (live.stream(record.stream) != nullptr && live.stream(record.stream)->recording == recording) {
    live.edit_stream(record.stream).recording = runtime::kNone;
  }
}

bool is_automatic(const StreamRecord& stream) {
  return stream.auto_record == runtime::Setting::kInherit
             ? stream.rules.auto_record != 0
             : stream.auto_record == runtime::Setting::kOn;
}

const char* record_type_name(runtime::Recorded recorded) {
  return recorded == runtime::Recorded::kRendition ? "transcoded" : "origin";
}

runtime::Recorded recorded_of(std::string_view record_type) {
  return record_type == record_type_name(runtime::Recorded::kRendition)
             ? runtime::Recorded::kRendition
             : runtime::Recorded::kSource;
}

void keep_settings(StreamRecord& stream, const catalog::StreamRow& row) {
  stream.stream_id = row.id;
  stream.settings_known = 1;
  stream.auto_record = !row.auto_record   ? runtime::Setting::kInherit
                       : *row.auto_record ? runtime::Setting::kOn
                                          : runtime::Setting::kOff;
  stream.record_type = recorded_of(row.record_type);
}

bool is_spool_known(const LiveState::Transaction& live, const Clock& clock, std::int64_t since_ms) {
  return live.shared().spool_searched != 0 || clock.monotonic_ms() - since_ms >= kLongestSearchMs;
}

void settle_tentative(LiveState::Transaction& live, const Clock& clock, std::int32_t index,
                      bool settings_failed) {
  const StreamRecord* stream = live.stream(index);
  if (stream == nullptr || (stream->settings_known == 0 && !settings_failed)) {
    return;
  }
  const bool wanted = stream->wanted != 0 || is_automatic(*stream);
  // It was begun with what the encoder sends, which is not what is to be recorded.
  const auto is_other = [stream](const RecordingRecord& record) {
    return record.recorded == runtime::Recorded::kNotKnown &&
           stream->record_type == runtime::Recorded::kRendition;
  };
  std::vector<std::int32_t> waiting;
  live.for_each_recording([&](std::int32_t recording, const RecordingRecord& record) {
    if (record.tentative != 0 && record.stream == index && !is_withdrawn(record) &&
        (is_other(record) || is_spool_known(live, clock, record.interrupted_ms))) {
      waiting.push_back(recording);
    }
  });
  for (const std::int32_t recording : waiting) {
    if (wanted && !is_other(*live.recording(recording))) {
      live.edit_recording(recording).tentative = 0;
      live.edit_recording(recording).stream_id = stream->stream_id;
    } else {
      withdraw(live, recording);
    }
  }
}

void learn_settings(Environment& environment, std::int32_t index, const std::string& app,
                    const std::string& name, std::optional<catalog::SessionStart> begun,
                    std::function<void(Result<std::int64_t>)> told) {
  environment.catalog.write(
      [app, name, begun](catalog::Catalog& catalog) mutable -> Result<catalog::StreamRow> {
        auto row = catalog.ensure_stream(app, name);
        if (row && begun) {
          begun->stream_id = row.value().id;
          RECORDING_TRY(catalog.begin_session(*begun));
        }
        return row;
      },
      [&environment, index, app, name, told = std::move(told)](Result<catalog::StreamRow> row) {
        if (!row) {
          return told(std::move(row).error());
        }
        environment.changes.make([&clock = environment.clock, index, app, name,
                                  found = row.value()](LiveState::Transaction& live) {
          const StreamRecord* known = live.stream(index);
          if (known == nullptr || known->app.view() != app || known->name.view() != name) {
            return;  // its place is another stream's by now
          }
          StreamRecord& stream = live.edit_stream(index);
          keep_settings(stream, found);
          if (live.recording(stream.recording) != nullptr) {
            live.edit_recording(stream.recording).stream_id = found.id;
          }
          settle_tentative(live, clock, index, false);
        });
        told(row.value().id);
      });
}

}  // namespace recording::recorder
