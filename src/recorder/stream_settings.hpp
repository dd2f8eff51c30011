#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "recorder/environment.hpp"

// What the catalogue says of a stream, and what was begun before that was known.
namespace recording::recorder {

// RecordingRecord::error of a recording in state kEnding that is not to be after all: nobody was
// told of it, nothing of it is saved.
inline constexpr std::string_view kWithdrawn = "withdrawn";
bool is_withdrawn(const runtime::RecordingRecord& record);
void withdraw(runtime::LiveState::Transaction& live, std::int32_t recording);

// Whether auto_record holds for the stream, as far as its settings are known.
bool is_automatic(const runtime::StreamRecord& stream);

// The API's words: "origin" and "transcoded".
const char* record_type_name(runtime::Recorded recorded);
runtime::Recorded recorded_of(std::string_view record_type);

// What the catalogue has of a stream, for its sessions.
void keep_settings(runtime::StreamRecord& stream, const catalog::StreamRow& row);

// Whether what an earlier boot left in the spool is known, or has been waited for since `since_ms`
// for long enough: who keeps house may be of an older version, and drain for hours.
bool is_spool_known(const runtime::LiveState::Transaction& live, const Clock& clock,
                    std::int64_t since_ms);

// Settles the stream's tentative recordings (RecordingRecord::tentative) as far as that can be done
// now: they go on or are withdrawn. `settings_failed`: the catalogue could not be asked, so the
// application's auto_record counts.
void settle_tentative(runtime::LiveState::Transaction& live, const Clock& clock,
                      std::int32_t stream, bool settings_failed);

// Asks the catalogue for a stream's id and settings, notes them in the live state, settles what
// waits for them, and says the id. `begun`: a session that begins, without stream_id. Event loop.
void learn_settings(Environment& environment, std::int32_t stream, const std::string& app,
                    const std::string& name, std::optional<catalog::SessionStart> begun,
                    std::function<void(Result<std::int64_t>)> told);

}  // namespace recording::recorder
