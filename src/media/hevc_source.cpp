#include "media/hevc_source.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "media/hevc_config.hpp"

namespace recording::media {
namespace {

// What is put into every key frame at most; an encoder that has more is not followed.
constexpr std::size_t kLongestSets = 16384;

ParameterSets read_sets(ByteView prefixed) {
  ParameterSets sets;
  for (ByteReader in(prefixed); in.left() > 0;) {
    if (auto set = hevc_parameter_set(in.bytes(in.u32()))) {
      sets.put(std::move(*set));
    }
  }
  return sets;
}

// Of a kind whatever its id.
const ParameterSet* first_of(const ParameterSets& sets, std::uint8_t order) {
  const auto at = std::find_if(sets.all().begin(), sets.all().end(),
                               [order](const ParameterSet& set) { return set.order == order; });
  return at != sets.all().end() ? &*at : nullptr;
}

class HevcSource final : public VideoSource {
 public:
  Status announce(ByteView record) override {
    auto config = parse_hevc_config(record);
    if (!config) {
      return std::move(config).error();
    }
    nal_length_size_ = config.value().nal_length_size;
    if (track_.codec == Codec::kNone) {
      follow(std::move(config).value());
    } else {
      announced_ = std::move(config).value();
    }
    return ok();
  }

  Arrangement take_key_frame(Pieces sample) override {
    const AccessUnitLayout layout = inspect_access_unit(Codec::kHevc, sample, 4);
    if (!layout.well_formed || !layout.random_access) {
      return {};
    }
    if (announced_) {
      if (announced_->sets != config_.sets) {
        follow(std::move(*announced_));
      }
      announced_.reset();
    }
    if (layout.sets != own_bytes_ || !arranged_) {
      own_bytes_ = layout.sets;
      take_own_sets();
    }
    return {layout.sets_at, missing_};
  }

  [[nodiscard]] const TrackConfig& track() const override { return track_; }
  [[nodiscard]] std::uint8_t nal_length_size() const override { return nal_length_size_; }

 private:
  void follow(HevcConfig config) {
    config_ = std::move(config);
    track_ = config_.track();
    arranged_ = false;
  }

  // What the key frame brings along takes the place of what there was: all of it when all kinds
  // are there, for a PPS is readable with the SPS alone that it was written for.
  void take_own_sets() {
    const ParameterSets own = read_sets(own_bytes_);
    const std::array<const ParameterSet*, 3> kinds{first_of(own, kHevcVps), first_of(own, kHevcSps),
                                                   first_of(own, kHevcPps)};
    const bool whole = std::count(kinds.begin(), kinds.end(), nullptr) == 0;
    HevcConfig merged = config_;
    if (whole) {
      merged.sets = own;
    } else {
      for (const ParameterSet& set : own.all()) {
        merged.sets.put(set);
      }
    }
    use(std::move(merged));
    arranged_ = true;
    missing_.clear();
    if (!whole) {
      // A VPS must come first, so all of them stand in front of those that are there.
      missing_ = config_.sets.missing_from({});
    }
  }

  void use(HevcConfig merged) {
    if (merged.sets == config_.sets) {
      return;
    }
    const ParameterSet* sps = merged.sets.find(kHevcSps, config_.sps.id);
    sps = sps != nullptr ? sps : first_of(merged.sets, kHevcSps);
    if (sps == nullptr) {
      return;  // no header has come yet, and the picture has not all of it
    }
    auto parsed = parse_hevc_sps(sps->nal);
    if (!parsed || merged.sets.missing_from({}).size() > kLongestSets) {
      return;  // what cannot be read is not followed
    }
    merged.sps = parsed.value();
    config_ = std::move(merged);
    track_ = config_.track();
  }

  std::uint8_t nal_length_size_ = 4;
  HevcConfig config_;
  TrackConfig track_;
  std::optional<HevcConfig> announced_;  // waits for a random access picture
  // Of the last key frame, so that the next one, which nearly always is alike, is only compared.
  bool arranged_ = false;
  Bytes own_bytes_;
  Bytes missing_;
};

}  // namespace

std::unique_ptr<VideoSource> make_hevc_source() { return std::make_unique<HevcSource>(); }

}  // namespace recording::media
