#pragma once

// Only in builds for tests (RECORDING_TESTING): every message handed to the recorder is noted in
// {RECORDING_MESSAGE_LOG} before it is copied anywhere, so that a test can tell what a recording
// must hold after a kill.
#if RECORDING_TESTING

#include <cstdint>

#include "media/codec.hpp"
#include "media/key_frame.hpp"

namespace recording::recorder {
void log_message(std::uint64_t session, media::TrackKind kind, std::uint32_t timestamp_ms,
                 media::Pieces message) noexcept;
}
#define RECORDING_LOG_MESSAGE(...) log_message(__VA_ARGS__)

#else
#define RECORDING_LOG_MESSAGE(...) static_cast<void>(0)
#endif
