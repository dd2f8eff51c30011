#include "processing/rendition_maker.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "mp4/rescale.hpp"
#include "processing/encode_command.hpp"
#include "processing/missing_parts.hpp"
#include "processing/rendition_writer.hpp"
#include "processing/sound_track.hpp"

namespace recording::processing {
namespace {

class Maker {
 public:
  Maker(storage::FileSystem& files, const Tools& tools, const SourcePlan& source,
        const OutputPlan& output, Progress& progress)
      : files_(files),
        tools_(tools),
        source_(source),
        output_(output),
        progress_(progress),
        sound_(tools, source, output, missing_,
               {[this](std::size_t track, const media::TrackConfig& config) {
                  return begin_sound(track, config);
                },
                [this](const OwnedSample& sample) { return add_sound(sample); }}) {}

  Result<MadeRenditions> make(const std::vector<std::string>& paths) {
    const mp4::Mark begin = source_.seams.empty() ? mp4::Mark{} : source_.seams.front().mark;
    for (const std::string& path : paths) {
      auto writer = RenditionWriter::create(files_, path, source_.identity, begin);
      if (!writer) {
        return std::move(writer).error();
      }
      writers_.push_back(std::move(writer).value());
    }
    RECORDING_TRY(sound_.start());
    for (const PicturePart& part : source_.pictures) {
      // The clip of the first part begins with the recording, also where pictures come later.
      RECORDING_TRY(pass_seams(std::max(part.begin, part.stretches.front().begin)));
      RECORDING_TRY(encode(part));
    }
    RECORDING_TRY(pass_seams(source_.end));
    RECORDING_TRY(sound_.take_until(source_.end + kTicks));
    return finish(paths);
  }

 private:
  Status encode(const PicturePart& part) {
    auto clip = MovieSource::open(source_.file, part.clip);
    if (!clip) {
      return std::move(clip).error();
    }
    auto started =
        EncoderRun::start(tools_, picture_arguments(part, output_), std::move(clip).value());
    if (!started) {
      return std::move(started).error();
    }
    EncoderRun& run = *started.value();
    bool described = false;
    for (;;) {
      auto sample = run.next();
      if (!sample) {
        return std::move(sample).error();
      }
      if (!sample.value()) {
        break;
      }
      if (!std::exchange(described, true)) {
        for (std::size_t i = 0; i < output_.pictures.size(); ++i) {
          RECORDING_TRY(writer_of(i).begin(run.tracks()[i]));
        }
      }
      RECORDING_TRY(take(part, std::move(*sample.value())));
    }
    return end(part, run);
  }

  Status take(const PicturePart& part, OwnedSample sample) {
    if (sample.track == decoded_track(output_)) {
      missing_.add_picture(part, sample.pts + part.begin);
    }
    if (sample.track == output_.pictures.size()) {
      return ok();
    }
    if (!output_.constant_rate) {
      sample.dts += part.begin;
      sample.pts += part.begin;
    }
    RenditionWriter& writer = writer_of(sample.track);
    if (sample.key && writer.has_pictures()) {
      RECORDING_TRY(sound_.take_until(sample.pts));
      RECORDING_TRY(writer.flush(sample.pts));
    }
    writer.add_picture(sample);
    if (sample.track == 0) {
      progress_.at(static_cast<double>(sample.pts) / static_cast<double>(source_.end));
    }
    return ok();
  }

  Status end(const PicturePart& part, const EncoderRun& run) {
    std::string why = run.first_error();
    if (Status end = run.end(); !end) {
      if (end.error().code == Errc::kUnavailable) {
        return end;
      }
      why = end.error().message;
    }
    missing_.end_part(part, why);
    // What follows has another encoder; of the last one finish() writes the rest.
    return &part == &source_.pictures.back() ? ok() : flush(std::min(part.end, next_seam()));
  }

  [[nodiscard]] std::int64_t next_seam() const {
    return seams_ < source_.seams.size() ? source_.seams[seams_].at : mp4::kLongestTime;
  }

  // Those up to that time.
  Status pass_seams(std::int64_t until) {
    for (; next_seam() <= until; ++seams_) {
      RECORDING_TRY(flush(next_seam()));
      for (const auto& writer : writers_) {
        writer->mark(source_.seams[seams_].mark);
      }
    }
    return ok();
  }

  // All pictures that there are, and the sound before that time.
  Status flush(std::int64_t until) {
    RECORDING_TRY(sound_.take_until(until));
    for (const auto& writer : writers_) {
      RECORDING_TRY(writer->flush(until));
    }
    return ok();
  }

  RenditionWriter& writer_of(std::size_t picture_track) {
    return *writers_[output_.pictures[picture_track].rendition];
  }

  Status begin_sound(std::size_t track, const media::TrackConfig& config) {
    for (std::size_t i = 0; i < writers_.size(); ++i) {
      if (output_.sounds_of[i] == track) {
        RECORDING_TRY(writers_[i]->begin(config));
      }
    }
    return ok();
  }

  Status add_sound(const OwnedSample& sample) {
    if (is_in_gap(mp4::rescale(sample.pts, output_.sample_rate, kTicks))) {
      return ok();  // as in the source: not a silence of an hour for a download and a player
    }
    for (std::size_t i = 0; i < writers_.size(); ++i) {
      if (output_.sounds_of[i] == sample.track) {
        RECORDING_TRY(writers_[i]->add_sound(sample));
      }
    }
    if (source_.pictures.empty() && sample.track == 0) {
      const std::int64_t clock = output_.sample_rate;
      progress_.at(static_cast<double>(sample.pts / clock * kTicks) /
                   static_cast<double>(source_.end));
    }
    return ok();
  }

  [[nodiscard]] bool is_in_gap(std::int64_t at) const {
    const auto after =
        std::upper_bound(source_.gaps.begin(), source_.gaps.end(), at,
                         [](std::int64_t time, const Gap& gap) { return time < gap.begin; });
    return after != source_.gaps.begin() && at < std::prev(after)->end;
  }

  Result<MadeRenditions> finish(const std::vector<std::string>& paths) {
    MadeRenditions made;
    made.missing = missing_.text();
    for (std::size_t i = 0; i < writers_.size(); ++i) {
      RenditionWriter& writer = *writers_[i];
      const bool nothing =
          source_.pictures.empty() ? !writer.has_sound() : !writer.has_any_picture();
      if (nothing) {
        made.renditions.clear();
        made.error = "nothing of the recording could be decoded" +
                     (made.missing.empty() ? std::string() : ": " + made.missing);
        return made;
      }
      const std::int64_t end = source_.pictures.empty() ? 0 : source_.pictures.back().pictures_end;
      RECORDING_TRY(writer.finish(end));
      made.renditions.push_back({paths[i], writer.pictures(), writer.sounds(), writer.keys(),
                                 writer.file().duration_ms()});
    }
    return made;
  }

  storage::FileSystem& files_;
  const Tools& tools_;
  const SourcePlan& source_;
  const OutputPlan& output_;
  Progress& progress_;
  MissingParts missing_;
  SoundTrack sound_;
  std::vector<std::unique_ptr<RenditionWriter>> writers_;
  std::size_t seams_ = 1;  // of the source's, that were passed
};

}  // namespace

Result<MadeRenditions> make_renditions(storage::FileSystem& files, const Tools& tools,
                                       const SourcePlan& source, const OutputPlan& output,
                                       const std::vector<std::string>& paths, Progress& progress) {
  return Maker(files, tools, source, output, progress).make(paths);
}

}  // namespace recording::processing
