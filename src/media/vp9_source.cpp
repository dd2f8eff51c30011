#include "media/vp9_source.hpp"

#include <algorithm>

#include "media/vp9_config.hpp"

namespace recording::media {
namespace {

// A VP9 key frame has all that a decoder needs, so nothing is ever put into it.
class Vp9Source final : public VideoSource {
 public:
  Status announce(ByteView record) override {
    auto config = parse_vp9_config(record);
    if (!config) {
      return std::move(config).error();
    }
    config_ = config.value();
    return ok();
  }

  Arrangement take_key_frame(Pieces sample) override {
    PieceReader in(sample);
    Bytes front;
    in.copy(std::min<std::uint64_t>(kVp9FrameHead, in.left()), front);
    if (auto frame = parse_vp9_key_frame(front)) {
      track_ = config_.track(frame.value());
    }
    return {};
  }

  // kNone until there is a key frame.
  [[nodiscard]] const TrackConfig& track() const override { return track_; }

 private:
  Vp9Config config_;
  TrackConfig track_;
};

}  // namespace

std::unique_ptr<VideoSource> make_vp9_source() { return std::make_unique<Vp9Source>(); }

}  // namespace recording::media
