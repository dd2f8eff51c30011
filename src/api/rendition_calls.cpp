#include <algorithm>
#include <utility>

#include "api/calls.hpp"
#include "api/live_view.hpp"
#include "api/replies.hpp"
#include "api/request_fields.hpp"
#include "api/video_json.hpp"

namespace recording::api {

namespace {

using transcode::RenditionSetting;

Error no_such_rendition(const std::vector<RenditionSetting>& offered) {
  std::string names;
  for (const RenditionSetting& one : offered) {
    names += (names.empty() ? "" : ", ") + one.name;
  }
  return {Errc::kInvalidArgument, "no_such_rendition: name must be one of " + names};
}

// 0: not known.
std::int64_t number_of(const media::Parameters& parameters, std::string_view name) {
  for (const media::Parameter& one : parameters) {
    if (const auto* value = std::get_if<std::int64_t>(&one.value); value && one.name == name) {
      return *value;
    }
  }
  return 0;
}

// The shorter side of the largest picture; 0: there are none.
std::int64_t largest_side(const recorder::Timeline& timeline) {
  std::int64_t largest = 0;
  for (const recorder::Timeline::Epoch& epoch : timeline.epochs) {
    if (epoch.video) {
      largest = std::max(
          largest, std::min(number_of(*epoch.video, "width"), number_of(*epoch.video, "height")));
    }
  }
  return largest;
}

struct Asked {
  bool is_new = false;
  VideoView view;
};

Result<Asked> ask(catalog::Catalog& rows, std::int64_t id, const RenditionSetting& setting) {
  catalog::RenditionRow wanted;
  wanted.name = setting.name;
  wanted.video_bps = setting.video_bps;
  wanted.audio_bps = setting.audio_bps;
  Result<bool> is_new = rows.ask_rendition(id, wanted);
  if (!is_new) {
    return std::move(is_new).error();
  }
  Result<VideoView> view = merged_view(rows, rows.video(id), std::nullopt);
  return view ? Result<Asked>(Asked{is_new.value(), std::move(view).value()})
              : Result<Asked>(std::move(view).error());
}

void write(Call call, const RenditionSetting& setting) {
  Backend& backend = *call.backend;
  backend.catalog().write(
      [id = *call.target.id, setting](catalog::Catalog& rows) { return ask(rows, id, setting); },
      [call = std::move(call)](Result<Asked> asked) {
        call.done(asked ? reply(asked.value().is_new ? 201 : 200,
                                video_json(asked.value().view, call.request.links, {}))
                        : catalog_failure(asked.error()));
      });
}

// The size of the source is asked of its file, which may have pictures of several.
void check_size(Call call, const VideoView& view, const RenditionSetting& setting) {
  if (view.row.status != "viewable" && view.row.status != "ready") {
    return call.done(
        failure(409, "video_not_viewable",
                "the video is " + view.row.status + "; a quality can be made once it is viewable"));
  }
  Backend& backend = *call.backend;
  backend.read_timeline(
      view.row, nullptr,
      [call = std::move(call), setting](Result<recorder::Timeline> timeline) mutable {
        if (!timeline) {
          return call.done(failure(503, "file_unreadable",
                                   "the video's file cannot be read: " + timeline.error().message));
        }
        const std::int64_t largest = largest_side(timeline.value());
        if (largest != 0 && setting.height > largest) {
          return call.done(failure(409, "larger_than_source",
                                   "the recording has " + std::to_string(largest) +
                                       " lines; a larger picture would show no more"));
        }
        write(std::move(call), setting);
      });
}

}  // namespace

void add_rendition(Call call) {
  Result<std::string> name = parse_new_rendition(call.request.body);
  if (!name) {
    return call.done(failure(name.error()));
  }
  Backend& backend = *call.backend;
  const std::vector<RenditionSetting> offered = backend.renditions();
  const auto found = std::find_if(offered.begin(), offered.end(),
                                  [&](const auto& one) { return one.name == name.value(); });
  if (found == offered.end()) {
    return call.done(failure(no_such_rendition(offered)));
  }
  const std::int64_t id = *call.target.id;
  Result<std::optional<LiveVideo>> live = find_live_video(backend.state(), id);
  if (!live) {
    return call.done(failure(live.error()));
  }
  backend.catalog().read(
      [id, live = std::move(live).value()](catalog::Catalog& rows) {
        return merged_view(rows, rows.video(id), live);
      },
      [call = std::move(call), setting = *found](Result<VideoView> view) mutable {
        if (!view) {
          return call.done(catalog_failure(view.error()));
        }
        check_size(std::move(call), view.value(), setting);
      });
}

}  // namespace recording::api
