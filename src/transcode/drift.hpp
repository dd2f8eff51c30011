#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "media/parameter_list.hpp"
#include "transcode/frozen_source.hpp"
#include "transcode/measurement.hpp"

namespace recording::transcode {

// What may differ between a session and what comes in now. Numbers of bits in the live state:
// renumber with its layout version.
enum class DriftField : std::uint8_t {
  kFrameRate,
  kWidth,
  kHeight,
  kPixFmt,
  kColorRange,
  kSampleRate,
  kChannels,
  kVideo,  // there are pictures now, or there are none any more
  kAudio
};
inline constexpr int kDriftFields = 9;

struct Drift {
  const char* field;  // as in `frozen` and `measured` of the API
  media::ParameterValue frozen, measured;
  std::string advice;  // a sentence for people
};

// The fields whose bits are set, with what to do about each.
std::vector<Drift> drifts_of(const FrozenSource& frozen, const Measured& measured,
                             std::uint32_t fields);

// Which fields have drifted, told once a change: a frame rate must stay away from the frozen one
// for some seconds, and come back as long, before that counts. Event loop only.
class DriftWatch {
 public:
  // True: fields() is another set, or a drifted value is another one than was told last. Some
  // times a second; `now_ms`: monotonic.
  bool look(const FrozenSource& frozen, const Measured& measured, std::int64_t now_ms);

  [[nodiscard]] std::uint32_t fields() const { return fields_; }

 private:
  std::uint32_t fields_ = 0;
  std::array<media::ParameterValue, kDriftFields> told_;
  std::array<std::int64_t, kDriftFields> since_ms_{};  // it has been otherwise; 0: it is not
};

}  // namespace recording::transcode
