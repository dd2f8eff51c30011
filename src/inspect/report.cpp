#include "inspect/report.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

#include "api/timeline_json.hpp"

namespace recording::inspect {
namespace {

using api::Json;

// 01:02:03.456
std::string clock_text(std::int64_t ms) {
  std::array<char, 40> text{};
  (void)std::snprintf(text.data(), text.size(), "%02lld:%02lld:%02lld.%03lld",
                      static_cast<long long>(ms / 3600000), static_cast<long long>(ms / 60000 % 60),
                      static_cast<long long>(ms / 1000 % 60), static_cast<long long>(ms % 1000));
  return text.data();
}

// A name that an encoder chose cannot make the terminal do anything.
std::string plain(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  return text;
}

std::string value_text(const Json& value) {
  if (value.is_null()) {
    return "?";
  }
  return plain(value.is_string() ? value.get<std::string>() : api::to_text(value));
}

// "name value, name value"; what is not known is left out.
std::string list_text(const Json& object) {
  std::string text;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_null()) {
      text += (text.empty() ? "" : ", ") + name + " " + value_text(value);
    }
  }
  return text;
}

// Each entry of a list: its time, then the rest of it.
void add_list(std::string& text, const Json& facts, const char* name, const char* title) {
  const Json& list = facts.at(name);
  text +=
      std::string(title) + ": " + (list.empty() ? "none\n" : std::to_string(list.size()) + "\n");
  for (const Json& entry : list) {
    Json rest = entry;
    rest.erase("at_ms");
    text +=
        "  " + clock_text(entry.at("at_ms").get<std::int64_t>()) + "  " + list_text(rest) + "\n";
  }
}

}  // namespace

Json facts_json(const Facts& facts, const std::string& path, const std::string& state) {
  const mp4::Identity& identity = facts.identity;
  const std::uint64_t torn = facts.size - facts.whole;
  Json json;
  json["file"] = {{"path", path},
                  {"state", state},
                  {"size", facts.size},
                  {"unfinished_bytes", torn},
                  {"duration_ms", facts.timeline.duration_ms},
                  {"video_samples", facts.samples[mp4::slot(media::TrackKind::kVideo)]},
                  {"audio_samples", facts.samples[mp4::slot(media::TrackKind::kAudio)]},
                  {"app", identity.app},
                  {"stream", identity.stream},
                  {"video_id", api::positive_or_null(identity.video_id)},
                  {"slug", identity.slug},
                  {"started_at", api::time_or_null(identity.started_wall_ms)},
                  {"transaction_id", api::text_or_null(identity.transaction_id)},
                  {"sequence", identity.sequence}};
  json.update(api::timeline_json(facts.timeline, {}, ""));
  return json;
}

std::string facts_text(const Json& facts) {
  const Json& file = facts.at("file");
  std::string text = value_text(file.at("path")) + ": " + value_text(file.at("state")) + "\n";
  text += "recording: stream " + value_text(file.at("app")) + "/" + value_text(file.at("stream")) +
          ", video " + value_text(file.at("video_id")) + ", slug " + value_text(file.at("slug")) +
          ", started " + value_text(file.at("started_at")) + ", part " +
          value_text(file.at("sequence")) + "\n";
  text += "media: " + clock_text(file.at("duration_ms").get<std::int64_t>()) + ", " +
          value_text(file.at("video_samples")) + " video and " +
          value_text(file.at("audio_samples")) + " audio samples, " + value_text(file.at("size")) +
          " bytes";
  if (file.at("unfinished_bytes") != 0) {
    text += ", the last " + value_text(file.at("unfinished_bytes")) + " no whole fragment";
  }
  text += std::string("\nuniform: ") + (facts.at("uniform").get<bool>() ? "yes" : "no") + "\n";
  text += "epochs: " + std::to_string(facts.at("epochs").size()) + "\n";
  for (const Json& epoch : facts.at("epochs")) {
    text += "  " + value_text(epoch.at("index")) + "  " +
            clock_text(epoch.at("start_ms").get<std::int64_t>()) + " to " +
            clock_text(epoch.at("end_ms").get<std::int64_t>()) + "\n";
    for (const char* track : {"video", "audio"}) {
      text += std::string("     ") + track + ": " +
              (epoch.at(track).is_null() ? "none" : list_text(epoch.at(track))) + "\n";
    }
  }
  add_list(text, facts, "changes", "changes");
  add_list(text, facts, "interruptions", "interruptions");
  add_list(text, facts, "timestamp_repairs", "timestamp repairs");
  return text;
}

}  // namespace recording::inspect
