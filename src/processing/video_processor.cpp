#include "processing/video_processor.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "processing/new_file.hpp"
#include "processing/output_plan.hpp"
#include "processing/picture_maker.hpp"
#include "processing/progress.hpp"
#include "processing/rendition_check.hpp"
#include "processing/rendition_maker.hpp"

namespace recording::processing {
namespace {

// Shares of the progress. Pictures are there before the long work begins.
constexpr double kPicturesEnd = 0.05, kEncodingEnd = 0.92;

Result<SourcePlan> open_source(storage::FileSystem& files, const std::string& path) {
  auto file = files.open_for_read(path);
  if (!file) {
    return std::move(file).error();
  }
  return read_source(std::shared_ptr<storage::File>(std::move(file).value()));
}

std::string too_large(const SourcePlan& source, const RenditionSetting& setting) {
  const media::SourceParameters& largest = *largest_picture(source);
  return setting.name + " is larger than the recording, whose largest picture is " +
         std::to_string(largest.width) + "x" + std::to_string(largest.height);
}

class Processor {
 public:
  Processor(storage::FileSystem& files, const Order& order, Observer& observer, SourcePlan source)
      : files_(files),
        order_(order),
        source_(std::move(source)),
        tools_{order.launcher, order.ffmpeg, [&observer] { return observer.cancelled(); }},
        progress_(observer) {}

  Result<Outcome> process() {
    RECORDING_TRY(remove_unfinished(files_, order_.folder));
    Status done = make_all();
    if (!done) {
      (void)remove_unfinished(files_, order_.folder);
      return std::move(done).error();
    }
    RECORDING_TRY(remove_unfinished(files_, order_.folder));
    progress_.done();
    return std::move(outcome_);
  }

 private:
  Status make_all() {
    if (order_.pictures) {
      progress_.enter(0, order_.renditions.empty() ? 1 : kPicturesEnd);
      auto pictures = make_pictures(files_, tools_, source_, order_.folder, progress_);
      if (!pictures) {
        return std::move(pictures).error();
      }
      outcome_.pictures = std::move(pictures).value();
    }
    for (const RenditionSetting& setting : order_.renditions) {
      Rendition& rendition = outcome_.renditions.emplace_back();
      rendition.name = setting.name;
      if (fits(source_, setting)) {
        wanted_.push_back(setting);
        places_.push_back(outcome_.renditions.size() - 1);
      } else {
        rendition.error = too_large(source_, setting);
      }
    }
    return wanted_.empty() ? ok() : make_wanted();
  }

  Status make_wanted() {
    const OutputPlan output = plan_output(source_, wanted_);
    for (const OutputPlan::Pictures& pictures : output.pictures) {
      Rendition& rendition = rendition_of(pictures.rendition);
      rendition.width = pictures.size.width;
      rendition.height = pictures.size.height;
    }
    std::vector<std::string> paths;
    for (const RenditionSetting& setting : wanted_) {
      paths.push_back(unfinished_path(order_.folder, setting.name + ".mp4"));
    }
    progress_.enter(order_.pictures ? kPicturesEnd : 0, kEncodingEnd);
    auto made = make_renditions(files_, tools_, source_, output, paths, progress_);
    if (!made) {
      return std::move(made).error();
    }
    outcome_.missing = made.value().missing;
    const std::vector<MadeRendition>& renditions = made.value().renditions;
    if (renditions.empty()) {
      for (std::size_t i = 0; i < wanted_.size(); ++i) {
        rendition_of(i).error = made.value().error;
      }
      return ok();
    }
    progress_.enter(kEncodingEnd, 1);
    auto checked = check_renditions(tools_, renditions, progress_);
    if (!checked) {
      return std::move(checked).error();
    }
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (Status& right = checked.value()[i]; !right) {
        rendition_of(i).error = right.error().message;
      } else {
        RECORDING_TRY(publish(renditions[i], wanted_[i].name, rendition_of(i)));
      }
    }
    return ok();
  }

  Status publish(const MadeRendition& made, const std::string& name, Rendition& rendition) {
    RECORDING_TRY(give_name(files_, order_.folder, name + ".mp4"));
    auto file = files_.open_for_read(order_.folder + "/" + name + ".mp4");
    if (!file) {
      return std::move(file).error();
    }
    auto size = file.value()->size();
    if (!size) {
      return std::move(size).error();
    }
    rendition.size = size.value();  // as it is served it has the length that it has here
    rendition.duration_ms = made.duration_ms;
    return ok();
  }

  Rendition& rendition_of(std::size_t wanted) { return outcome_.renditions[places_[wanted]]; }

  storage::FileSystem& files_;
  const Order& order_;
  const SourcePlan source_;
  const Tools tools_;
  Progress progress_;
  std::vector<RenditionSetting> wanted_;  // those that fit
  std::vector<std::size_t> places_;       // of them in the outcome
  Outcome outcome_;
};

}  // namespace

Result<std::vector<RenditionSetting>> fitting_renditions(
    storage::FileSystem& files, const std::string& source,
    const std::vector<RenditionSetting>& settings) {
  auto plan = open_source(files, source);
  if (!plan) {
    return std::move(plan).error();
  }
  std::vector<RenditionSetting> fitting;
  std::copy_if(settings.begin(), settings.end(), std::back_inserter(fitting),
               [&](const RenditionSetting& setting) { return fits(plan.value(), setting); });
  return fitting;
}

Result<Outcome> process_video(storage::FileSystem& files, const Order& order, Observer& observer) {
  const NoBrokenPipes no_broken_pipes;
  auto source = open_source(files, order.source);
  if (!source) {
    return std::move(source).error();
  }
  return Processor(files, order, observer, std::move(source).value()).process();
}

}  // namespace recording::processing
