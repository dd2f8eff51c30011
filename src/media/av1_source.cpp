#include "media/av1_source.hpp"

#include <optional>
#include <utility>

#include "media/av1_config.hpp"

namespace recording::media {
namespace {

class Av1Source final : public VideoSource {
 public:
  // A record may leave the sequence header to the key frames, and then says nothing.
  Status announce(ByteView record) override {
    auto config = parse_av1_config(record);
    if (!config) {
      Error error = std::move(config).error();
      return error.code == Errc::kNotFound ? ok() : Status(std::move(error));
    }
    announced_ = std::move(config).value();
    if (track_.codec == Codec::kNone) {
      follow_announced();
    }
    return ok();
  }

  Arrangement take_key_frame(Pieces sample) override {
    TemporalUnitLayout layout = inspect_temporal_unit(sample);
    if (!layout.well_formed) {
      return {};
    }
    follow_announced();
    if (layout.sequence_header.empty()) {
      return {layout.sets_at, in_band_};
    }
    if (layout.sequence_header != own_) {
      own_ = std::move(layout.sequence_header);
      if (auto config = av1_config_of(own_)) {  // what cannot be read is not followed
        follow(config.value());
      }
    }
    return {};
  }

  // kNone until there is a sequence header.
  [[nodiscard]] const TrackConfig& track() const override { return track_; }

 private:
  void follow_announced() {
    if (announced_) {
      follow(*announced_);
      announced_.reset();
      own_.clear();
    }
  }

  void follow(const Av1Config& config) {
    in_band_ = config.obus;
    track_ = config.track();
  }

  TrackConfig track_;
  std::optional<Av1Config> announced_;  // waits for a key frame
  Bytes in_band_;
  Bytes own_;  // sequence header of the last key frame that had one
};

}  // namespace

std::unique_ptr<VideoSource> make_av1_source() { return std::make_unique<Av1Source>(); }

}  // namespace recording::media
