#include "media/avc_source.hpp"

#include <optional>
#include <utility>

#include "media/avc_config.hpp"
#include "media/bit_reader.hpp"
#include "media/nal.hpp"

namespace recording::media {
namespace {

// What is put into every key frame at most; an encoder that has more is not followed.
constexpr std::size_t kLongestSets = 16384;

std::size_t size_of(const ParameterSets& sets) {
  std::size_t size = 0;
  for (const ParameterSet& set : sets.all()) {
    size += set.nal.size();
  }
  return size;
}

ParameterSets read_sets(ByteView prefixed) {
  ParameterSets sets;
  for (ByteReader in(prefixed); in.left() > 0;) {
    if (auto set = avc_parameter_set(in.bytes(in.u32()))) {
      sets.put(std::move(*set));
    }
  }
  return sets;
}

// 7.3.3: which PPS a slice refers to.
std::uint32_t pps_of_slice(ByteView slice) {
  const Bytes payload = without_emulation_prevention(slice.subspan(1));
  BitReader in(payload);
  (void)in.ue();  // first_mb_in_slice
  (void)in.ue();  // slice_type
  return in.ue();
}

bool refers_to(const ParameterSet& pps, std::uint32_t sps) {
  return pps.order == kAvcPps && sps_of_pps(pps.nal) == sps;
}

class AvcSource final : public VideoSource {
 public:
  Status announce(ByteView record) override {
    auto config = parse_avc_config(record);
    if (!config) {
      return std::move(config).error();
    }
    nal_length_size_ = config.value().nal_length_size;
    if (!known_) {
      known_ = true;
      follow(std::move(config).value());
    } else {
      announced_ = std::move(config).value();
    }
    return ok();
  }

  Arrangement take_key_frame(Pieces sample) override {
    const AccessUnitLayout layout = inspect_access_unit(Codec::kAvc, sample, 4);
    if (!layout.well_formed) {
      return {};
    }
    // An SPS may change its content with an IDR picture only (7.4.1.2.1).
    if (announced_ && (layout.random_access || same_sps(*announced_))) {
      follow(std::move(*announced_));
      announced_.reset();
    }
    if (layout.sets != own_bytes_ || !arranged_) {
      own_bytes_ = layout.sets;
      take_own_sets();
    }
    choose_sps(layout.slice);
    return {layout.sets_at, missing_};
  }

  [[nodiscard]] const TrackConfig& track() const override { return track_; }
  [[nodiscard]] std::uint8_t nal_length_size() const override { return nal_length_size_; }

 private:
  [[nodiscard]] bool same_sps(const AvcConfig& other) const {
    const ParameterSet* sps = config_.sets.find(kAvcSps, other.sps.id);
    const ParameterSet* theirs = other.sets.find(kAvcSps, other.sps.id);
    return sps != nullptr && theirs != nullptr && sps->nal == theirs->nal;
  }

  void follow(AvcConfig config) {
    if (arranged_ && config.sets == config_.sets) {
      return;  // the same header again
    }
    config_ = std::move(config);
    track_ = config_.track();
    arranged_ = false;
  }

  // What the key frame brings along takes the place of what there was.
  void take_own_sets() {
    const ParameterSets own = read_sets(own_bytes_);
    AvcConfig merged = config_;
    for (const ParameterSet& set : own.all()) {
      if (merged.sets.put(set) && set.order == kAvcSps) {
        drop_old_pps(merged.sets, own, set.id);
      }
    }
    arranged_ = true;
    if (size_of(merged.sets) <= kLongestSets) {
      (void)use(std::move(merged));  // what cannot be read is not followed
    }
    missing_ = config_.sets.missing_from(own);
  }

  // A PPS is only readable with the SPS that it was written for: when that changes, those that the
  // encoder does not repeat are over. (It repeats none: it means them to stay.)
  static void drop_old_pps(ParameterSets& sets, const ParameterSets& own, std::uint32_t sps) {
    std::vector<std::uint32_t> old;
    bool any_new = false;
    for (const ParameterSet& set : sets.all()) {
      if (refers_to(set, sps) && own.find(kAvcPps, set.id) == nullptr) {
        old.push_back(set.id);
      }
    }
    for (const ParameterSet& set : own.all()) {
      any_new = any_new || refers_to(set, sps);
    }
    for (std::size_t i = 0; any_new && i < old.size(); ++i) {
      sets.erase(kAvcPps, old[i]);
    }
  }

  bool use(AvcConfig config) {
    const ParameterSet* sps = config.sets.find(kAvcSps, config.sps.id);
    if (sps == nullptr) {
      return false;
    }
    if (config.sets == config_.sets && config.sps.id == config_.sps.id) {
      return true;
    }
    auto parsed = parse_avc_sps(sps->nal);
    if (!parsed) {
      return false;
    }
    config.sps = parsed.value();
    config_ = std::move(config);
    track_ = config_.track();
    return true;
  }

  // The SPS is the one that the picture's first slice leads to; an encoder may keep several.
  void choose_sps(ByteView slice) {
    if (slice[0] == 0) {
      return;  // there is none
    }
    const ParameterSet* pps = config_.sets.find(kAvcPps, pps_of_slice(slice));
    const auto id = pps != nullptr ? sps_of_pps(pps->nal) : std::nullopt;
    if (id && *id != config_.sps.id) {
      AvcConfig config = config_;
      config.sps.id = *id;
      (void)use(std::move(config));
    }
  }

  bool known_ = false;
  std::uint8_t nal_length_size_ = 4;
  AvcConfig config_;
  TrackConfig track_;
  std::optional<AvcConfig> announced_;  // waits for an IDR picture
  // Of the last key frame, so that the next one, which nearly always is alike, is only compared.
  bool arranged_ = false;
  Bytes own_bytes_;
  Bytes missing_;
};

}  // namespace

std::unique_ptr<VideoSource> make_avc_source() { return std::make_unique<AvcSource>(); }

}  // namespace recording::media
