#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/video_source.hpp"
#include "mp4/recording_file.hpp"
#include "processing/encoder_run.hpp"
#include "processing/sample_digest.hpp"
#include "storage/file.hpp"

namespace recording::processing {

// One rendition as it is written: one of our recordings, in fragments that begin with a key frame.
// Errors are those of writing. One thread.
class RenditionWriter {
 public:
  // `begin`: of the source's beginning.
  static Result<std::unique_ptr<RenditionWriter>> create(storage::FileSystem& files,
                                                         const std::string& path,
                                                         mp4::Identity identity,
                                                         const mp4::Mark& begin);

  // An encoder begins; samples that come are its.
  Status begin(const media::TrackConfig& config);
  // Times of `sample` are those of the rendition. What would be in front of the sample before it,
  // or of the beginning, is decoded right behind that; it is shown when it should be.
  void add_picture(const OwnedSample& sample);
  // One that would be is left out.
  Status add_sound(const OwnedSample& sample);
  [[nodiscard]] bool has_pictures() const { return !pictures_.samples.empty(); }
  [[nodiscard]] bool has_any_picture() const { return pictures_.last_dts >= 0; }
  [[nodiscard]] bool has_sound() const { return sounds_.last_dts >= 0; }
  // Stands in front of what is written next, but where nothing was written since one that says
  // more.
  void mark(const mp4::Mark& mark);
  // Writes the pictures that there are, and the sound before that time, in ticks of 1/120000 s.
  Status flush(std::int64_t until);
  // The last picture is seen until `pictures_end`, the last sound as long as it is.
  Status finish(std::int64_t pictures_end);

  // What was written.
  [[nodiscard]] const SampleDigest& pictures() const { return pictures_.written; }
  [[nodiscard]] const SampleDigest& sounds() const { return sounds_.written; }
  [[nodiscard]] std::uint64_t keys() const { return keys_; }
  [[nodiscard]] const mp4::RecordingFile& file() const { return *file_; }

 private:
  struct Track {
    media::TrackConfig config;
    bool config_is_new = false;
    std::int64_t last_dts = -1, last_pts = -1;
    std::vector<mp4::Sample> samples;  // not written yet
    std::vector<std::vector<iovec>> pieces;
    std::vector<std::shared_ptr<const Bytes>> bytes;
    SampleDigest written;
  };

  explicit RenditionWriter(std::unique_ptr<mp4::RecordingFile> file) : file_(std::move(file)) {}
  static void add(Track& track, std::int64_t dts, std::int64_t pts, const OwnedSample& sample);
  Status flush_group();
  Status write(std::size_t sounds, std::uint32_t last_picture);

  std::unique_ptr<mp4::RecordingFile> file_;
  std::unique_ptr<media::VideoSource> source_;  // puts parameter sets into key frames
  Track pictures_, sounds_;
  std::optional<mp4::Mark> mark_;
  std::int64_t last_pts_ = 0;   // the picture that is shown last
  std::uint32_t last_gap_ = 0;  // between the last two in decoding order
  std::uint64_t keys_ = 0;
};

}  // namespace recording::processing
