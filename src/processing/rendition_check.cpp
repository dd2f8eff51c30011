#include "processing/rendition_check.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processing/encode_command.hpp"
#include "transcode/lines.hpp"

namespace recording::processing {
namespace {

// What check_arguments() has ffmpeg say of a file.
class ReadBack {
 public:
  explicit ReadBack(const MadeRendition& made)
      : made_(made),
        tracks_((made.pictures.samples() > 0 ? 1U : 0U) + (made.sounds.samples() > 0 ? 1U : 0U)) {}

  // "stream, dts, pts, duration, size, hash", the hash in hexadecimal digits; in front of all
  // "#tb stream: 1/ticks".
  void take(std::string_view line) {
    constexpr std::string_view kClock = "#tb ", kOne = ": 1/";
    if (const std::size_t at = line.find(kOne); line.starts_with(kClock) && at != line.npos) {
      std::uint32_t& clock = clocks_.emplace_back(1);
      line.remove_prefix(at + kOne.size());
      std::from_chars(line.data(), line.data() + line.size(), clock);
    }
    if (line.starts_with('#')) {
      return;
    }
    std::array<std::int64_t, 6> fields{};
    std::size_t count = 0;
    for (; count < fields.size() && !line.empty(); ++count) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      const std::size_t end = std::min(line.find(','), line.size());
      const int base = count + 1 < fields.size() ? 10 : 16;
      if (std::from_chars(line.data(), line.data() + end, fields[count], base).ec != std::errc()) {
        return;
      }
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    if (count == fields.size()) {
      take_sample(fields);
    }
  }

  Status compare() const {
    if (!(pictures_ == made_.pictures) || !(sounds_ == made_.sounds)) {
      return wrong("has " + text(pictures_, sounds_) + " that are not the " +
                   text(made_.pictures, made_.sounds) + " of the encoders");
    }
    // The demuxer moves what is decoded before the beginning by some pictures.
    constexpr std::int64_t kTolerance = 200;
    if (std::abs(end_ms_ - made_.duration_ms) > kTolerance) {
      return wrong("lasts " + std::to_string(end_ms_) + " ms instead of " +
                   std::to_string(made_.duration_ms));
    }
    if (decoded_keys_ != made_.keys) {
      return wrong("decodes to " + std::to_string(decoded_keys_) + " key frames instead of " +
                   std::to_string(made_.keys));
    }
    return ok();
  }

 private:
  static Status wrong(const std::string& what) {
    return Error{Errc::kCorrupt, "what was written " + what};
  }
  static std::string text(const SampleDigest& pictures, const SampleDigest& sounds) {
    return std::to_string(pictures.samples()) + " pictures and " +
           std::to_string(sounds.samples()) + " packets of sound";
  }

  void take_sample(const std::array<std::int64_t, 6>& fields) {
    const auto [stream, dts, pts, duration, size, hash] = fields;
    const bool has_pictures = made_.pictures.samples() > 0;
    if (stream < 0 || static_cast<std::size_t>(stream) >= clocks_.size()) {
      return;
    }
    if (stream < tracks_) {
      SampleDigest& digest = has_pictures && stream == 0 ? pictures_ : sounds_;
      const std::int64_t clock = clocks_[static_cast<std::size_t>(stream)];
      end_ms_ = std::max(end_ms_, (dts + duration) * 1000 / std::max<std::int64_t>(clock, 1));
      digest.add(pts, static_cast<std::uint64_t>(size), static_cast<std::uint32_t>(hash));
    } else if (has_pictures && stream == tracks_) {
      ++decoded_keys_;
    }
  }

  const MadeRendition& made_;
  std::int64_t tracks_;
  std::vector<std::uint32_t> clocks_;  // ticks a second of each stream
  std::int64_t end_ms_ = 0;
  SampleDigest pictures_, sounds_;
  std::uint64_t decoded_keys_ = 0;
};

Status check(const Tools& tools, const MadeRendition& made) {
  auto run = FfmpegRun::start(tools, check_arguments(made.path), nullptr);
  if (!run) {
    return std::move(run).error();
  }
  ReadBack read_back(made);
  transcode::Lines lines;
  RECORDING_TRY(read_all(*run.value(), [&](ByteView piece) {
    lines.add({reinterpret_cast<const char*>(piece.data()), piece.size()},
              [&](std::string_view line) { read_back.take(line); });
  }));
  const std::string& spoken = run.value()->first_error();
  return spoken.empty()
             ? read_back.compare()
             : Status(Error{Errc::kCorrupt, "what was written does not decode: " + spoken});
}

}  // namespace

Result<std::vector<Status>> check_renditions(const Tools& tools,
                                             const std::vector<MadeRendition>& made,
                                             Progress& progress) {
  std::vector<Status> checked;
  for (const MadeRendition& one : made) {
    checked.push_back(check(tools, one));
    if (!checked.back() && checked.back().error().code != Errc::kCorrupt) {
      return std::move(checked.back()).error();
    }
    progress.at(static_cast<double>(checked.size()) / static_cast<double>(made.size()));
  }
  return checked;
}

}  // namespace recording::processing
