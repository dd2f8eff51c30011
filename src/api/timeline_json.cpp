#include "api/timeline_json.hpp"
#include "media/parameter_json.hpp"

namespace recording::api {

namespace {

using recorder::Timeline;

Json track_json(const std::optional<media::Parameters>& track) {
  if (!track) {
    return nullptr;
  }
  Json json = Json::object();
  for (const media::Parameter& parameter : *track) {
    json[std::string(parameter.name)] = media::parameter_json(parameter.value);
  }
  return json;
}

Json epoch_json(const Timeline::Epoch& epoch, const exporter::Links& links,
                const std::string& slug) {
  Json json;
  json["index"] = epoch.index;
  json["start_ms"] = epoch.start_ms;
  json["end_ms"] = epoch.end_ms;
  json["video"] = track_json(epoch.video);
  if (epoch.video) {
    json["video"]["frame_rate_measured"] =
        epoch.frame_rate_measured > 0 ? Json(epoch.frame_rate_measured) : Json(nullptr);
  }
  json["audio"] = track_json(epoch.audio);
  json["mp4_url"] =
      text_or_null(links.to(slug + "/source.mp4", "epoch=" + std::to_string(epoch.index)));
  return json;
}

}  // namespace

Json timeline_json(const Timeline& timeline, const exporter::Links& links,
                   const std::string& slug) {
  Json json;
  json["uniform"] = timeline.uniform();
  json["epochs"] = Json::array();
  for (const Timeline::Epoch& epoch : timeline.epochs) {
    json["epochs"].push_back(epoch_json(epoch, links, slug));
  }
  json["changes"] = Json::array();
  for (const Timeline::Change& change : timeline.changes) {
    json["changes"].push_back({{"at_ms", change.at_ms},
                               {"field", change.field},
                               {"from", media::parameter_json(change.from)},
                               {"to", media::parameter_json(change.to)}});
  }
  json["interruptions"] = Json::array();
  for (const Timeline::Interruption& interruption : timeline.interruptions) {
    json["interruptions"].push_back({{"at_ms", interruption.at_ms},
                                     {"started_at", time_or_null(interruption.began_wall_ms)},
                                     {"ended_at", time_or_null(interruption.ended_wall_ms)},
                                     {"lost_ms", interruption.lost_ms},
                                     {"reason", text_or_null(interruption.reason)}});
  }
  json["timestamp_repairs"] = Json::array();
  for (const media::TimestampRepair& repair : timeline.timestamp_repairs) {
    json["timestamp_repairs"].push_back(
        {{"at_ms", repair.at_ms},
         {"kind", media::name_of(repair.kind)},
         {"track", repair.track == media::TrackKind::kVideo ? "video" : "audio"},
         {"count", repair.count},
         {"from", repair.from_ms},
         {"to", repair.to_ms}});
  }
  return json;
}

}  // namespace recording::api
