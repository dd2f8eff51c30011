#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/avc_config.hpp"
#include "media/flv_tag.hpp"
#include "media/key_frame.hpp"
#include "media/sample_clock.hpp"
#include "recorder/batch.hpp"

namespace recording::recorder {

// What one message of a track turned out to be.
struct Intake {
  enum class What {
    kNothing,  // nothing to keep (end of sequence, empty, the same configuration again)
    kConfig,   // config() is new
    kSample,   // `sample` and `pieces`, valid until the next message
    kRejected  // cannot be recorded; `why` says it, once per reason
  };
  What what = What::kNothing;
  mp4::Sample sample;   // dts in ticks of the session
  std::int64_t ms = 0;  // received time, unwound
  media::Pieces pieces;
  const char* why = nullptr;
};

// Takes the messages of one track of one session apart: FLV header, codec configuration,
// timestamps, parameter sets that a key frame lacks. Event loop only; no copy of media bytes but
// for encoders with short NAL lengths.
class TrackIntake {
 public:
  explicit TrackIntake(media::TrackKind kind) : kind_(kind) {}

  // Frames a second that onMetaData declares; 0: none. Before the first sequence header.
  void declare_frame_rate(double fps) { declared_fps_ = fps; }

  // `reference_ms`: the session's last received time, unwound; both tracks share it.
  Intake take(std::uint32_t timestamp_ms, std::int64_t reference_ms, media::Pieces message);

  [[nodiscard]] const ConfigRef& config() const { return config_; }
  [[nodiscard]] std::uint32_t expected_duration() const;
  [[nodiscard]] std::uint64_t next_ordinal() const { return next_ordinal_; }
  void count_sample() { ++next_ordinal_; }
  // Samples that came without any configuration.
  [[nodiscard]] std::uint64_t undescribed() const { return undescribed_; }

 private:
  Intake take_config(media::Codec codec, media::Pieces payload);
  Intake take_sample(const media::TagHeader& tag, std::uint32_t timestamp_ms,
                     std::int64_t reference_ms, media::Pieces payload);
  bool describe_by_first_frame(media::Codec codec, media::Pieces payload);
  void arrange_key_frame();
  void set_config(media::TrackConfig config);

  media::TrackKind kind_;
  double declared_fps_ = 0;
  ConfigRef config_;
  Bytes raw_config_, rejected_config_;
  Bytes in_band_;  // parameter sets for key frames that lack them
  std::uint8_t nal_length_size_ = 4;
  std::optional<media::SampleClock> clock_;
  std::uint64_t next_ordinal_ = 0;
  std::uint64_t undescribed_ = 0;
  Bytes widened_;
  std::vector<iovec> pieces_, arranged_;
  std::string rejected_codecs_;
  bool malformed_said_ = false;
  std::string why_;
};

}  // namespace recording::recorder
