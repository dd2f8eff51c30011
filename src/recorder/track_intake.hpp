#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/audio_source.hpp"
#include "media/flv_tag.hpp"
#include "media/key_frame.hpp"
#include "media/session_clock.hpp"
#include "media/video_source.hpp"
#include "recorder/batch.hpp"

namespace recording::recorder {

// What one message of a track turned out to be.
struct Intake {
  enum class What {
    kNothing,  // nothing to keep (end of sequence, empty, the same configuration again)
    kConfig,   // config() is new, for what follows
    kSample,   // `sample` and `pieces`, valid until the next message; config() may be new with it
    kRejected  // cannot be recorded; `why` says it, once per reason
  };
  What what = What::kNothing;
  mp4::Sample sample;   // dts in ticks of the session
  std::int64_t ms = 0;  // of the session
  media::TimestampRepair repair;
  media::Pieces pieces;
  const char* why = nullptr;
  // Something of the message that was passed over, to be said once; whatever `what` is.
  const char* note = nullptr;
};

// What of Enhanced RTMP was passed over.
struct PassedOver {
  std::uint64_t packets = 0;  // of types that are not known
  std::uint64_t tracks = 0;   // messages of other tracks than number 0
};

// Takes the messages of one track of one session apart: FLV header, codec configuration, timestamps
// (by the session's clock, which must outlive it), parameter sets that a key frame lacks. config()
// changes when the source does, not with every header: for video with a key frame, and not back to
// what it was less than a second ago. Event loop only; no copy of media bytes but for encoders with
// short NAL lengths.
class TrackIntake {
 public:
  TrackIntake(media::TrackKind kind, media::SessionClock& clock) : kind_(kind), clock_(clock) {}

  // Frames a second that onMetaData declares, for what comes behind it.
  void declare_frame_rate(double fps);

  // `now_ms`: monotonic.
  Intake take(std::uint32_t timestamp_ms, std::int64_t now_ms, media::Pieces message);

  [[nodiscard]] const ConfigRef& config() const { return config_; }
  [[nodiscard]] std::uint32_t expected_duration() const { return clock_.expected_duration(kind_); }
  [[nodiscard]] std::uint64_t next_ordinal() const { return next_ordinal_; }
  void count_sample() { ++next_ordinal_; }
  // Samples that came without any configuration.
  [[nodiscard]] std::uint64_t undescribed() const { return undescribed_; }
  [[nodiscard]] const PassedOver& passed_over() const { return passed_over_; }

 private:
  void pass_over(const media::TagHeader& tag, Intake& intake);
  Intake reject_codec(std::uint32_t codec_id);
  Intake take_channels(media::Pieces payload);
  Intake take_config(media::Codec codec, media::Pieces payload);
  Status take_video_config(media::Codec codec, ByteView record);
  Status take_audio_config(media::Codec codec, ByteView record);
  Intake take_sample(const media::TagHeader& tag, std::uint32_t timestamp_ms, std::int64_t now_ms);
  bool take_picture(const media::TagHeader& tag, Intake& intake);
  void take_frame_of_audio(media::Codec codec);
  bool widen_lengths(Intake& intake);
  void arrange_key_frame();
  void follow_source(std::int64_t ms);
  [[nodiscard]] media::TrackConfig declared(media::TrackConfig config);
  void set_config(media::TrackConfig config);

  media::TrackKind kind_;
  media::SessionClock& clock_;
  double metadata_fps_ = 0;                // of onMetaData; 0: none
  std::uint32_t metadata_rate_milli_ = 0;  // the same, in 1000 s
  bool metadata_is_new_ = false;
  std::uint32_t rate_beside_metadata_ = 0;  // what the configuration said when it came
  ConfigRef config_;
  std::unique_ptr<media::VideoSource> source_;
  media::Codec source_codec_ = media::Codec::kNone;
  media::AudioSource audio_;
  std::uint8_t channels_ = 2;      // of Opus whose header says nothing …
  bool channels_counted_ = false;  // … which is the case
  // What config() was before, and when it ceased, ms: not gone back to within a second.
  struct Left {
    ConfigRef config;
    std::int64_t ms;
  };
  std::vector<Left> left_;
  Bytes rejected_config_;
  std::uint64_t next_ordinal_ = 0;
  std::uint64_t undescribed_ = 0;
  PassedOver passed_over_;
  Bytes widened_;
  std::vector<iovec> pieces_, arranged_;
  std::vector<std::uint32_t> rejected_codecs_;
  std::uint32_t noted_packets_ = 0;  // a bit for each packet type
  bool malformed_said_ = false;
  std::string why_, note_;
};

}  // namespace recording::recorder
