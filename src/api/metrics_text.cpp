#include "api/metrics_text.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "media/parameter_list.hpp"
#include "media/timestamp_repair.hpp"

namespace recording::api {
namespace {

using runtime::Counter;
using runtime::Metrics;

static_assert(media::kRepairKinds <= runtime::kMostRepairKinds);

// Builds the text. Names and the values of labels are from closed lists of ours, without a
// character that would have to be escaped.
class Text {
 public:
  void begin(const char* name, const char* type, const char* help) {
    name_ = std::string("nginx_recording_") + name;
    text_ += "# HELP " + name_ + " " + help + "\n# TYPE " + name_ + " " + type + "\n";
  }
  void sample(const std::string& value) { text_ += name_ + " " + value + "\n"; }
  void sample(std::string_view label, std::string_view is, std::uint64_t value) {
    labelled("", label, is, value);
  }
  void histogram(const runtime::DurationHistogram& histogram) {
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
      so_far += histogram.buckets[i].get();
      labelled(
          "_bucket", "le",
          i < runtime::kDurationBoundsUs.size() ? seconds(runtime::kDurationBoundsUs[i]) : "+Inf",
          so_far);
    }
    text_ += name_ + "_sum " + seconds(histogram.sum_us.get()) + "\n";
    text_ += name_ + "_count " + std::to_string(so_far) + "\n";
  }
  void milliseconds(std::int64_t ms) {
    text_ += name_ + " " + seconds(static_cast<std::uint64_t>(ms) * 1000) + "\n";
  }
  std::string take() { return std::move(text_); }

 private:
  void labelled(const char* suffix, std::string_view label, std::string_view is,
                std::uint64_t value) {
    text_ += name_ + suffix + "{" + std::string(label) + "=\"" + std::string(is) + "\"} " +
             std::to_string(value) + "\n";
  }
  // Exact: a double would not be after a few years.
  static std::string seconds(std::uint64_t us) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%llu.%06llu",
                  static_cast<unsigned long long>(us / 1'000'000),
                  static_cast<unsigned long long>(us % 1'000'000));
    std::string trimmed = text.data();
    trimmed.erase(trimmed.find_last_not_of('0') + 1);
    return trimmed.ends_with('.') ? trimmed + '0' : trimmed;
  }

  std::string text_, name_;
};

struct Now {
  std::int64_t active = 0, waiting_bytes = 0;
};

Result<Now> look(runtime::LiveState& state) {
  auto begun = state.begin();
  if (!begun) {
    return std::move(begun).error();
  }
  Now now;
  begun.value().for_each_recording([&](std::int32_t, const runtime::RecordingRecord& recording) {
    now.active +=
        recording.state == runtime::RecordingState::kActive && recording.tentative == 0 ? 1 : 0;
    now.waiting_bytes += recording.waiting_bytes.get();
  });
  return now;
}

template <std::size_t N, class Names>
void add_each(Text& text, const char* label, const std::array<Counter, N>& counters,
              const Names& name_of, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    text.sample(label, name_of(i), counters[i].get());
  }
}

void add_counters(Text& text, const Metrics& metrics) {
  text.begin("bytes_total", "counter", "Bytes of recordings' files that were written.");
  text.sample(std::to_string(metrics.bytes.get()));
  text.begin("interruptions_total", "counter",
             "Interruptions that are over: resumed in the same video, ended it, or were stopped.");
  add_each(
      text, "result", metrics.interruptions, [](auto i) { return runtime::kInterruptionEnds[i]; },
      0, runtime::kInterruptionEnds.size());
  text.begin("discarded_total", "counter", "Recordings that were not kept.");
  add_each(
      text, "reason", metrics.discarded, [](auto i) { return runtime::kDiscardReasons[i]; }, 0,
      runtime::kDiscardReasons.size());
  text.begin("source_changes_total", "counter",
             "Changes of a parameter of the source in the middle of a recording.");
  add_each(
      text, "field", metrics.source_changes, [](auto i) { return media::kParameterFields[i]; }, 0,
      media::kParameterFields.size());
  text.begin("timestamp_repairs_total", "counter",
             "Timestamps of encoders that were not followed.");
  add_each(
      text, "kind", metrics.timestamp_repairs,
      [](auto i) { return media::name_of(static_cast<media::RepairKind>(i)); }, 1,
      media::kRepairKinds);
  text.begin("live_dropped_groups_total", "counter",
             "Groups of pictures left out of live playback because its transcoder was too slow.");
  text.sample(std::to_string(metrics.live_dropped.get()));
  text.begin("write_seconds", "histogram",
             "Time that writing a batch of fragments of a recording took, with its sync.");
  text.histogram(metrics.writes);
  text.begin("write_errors_total", "counter", "Tries to write that the disk refused.");
  text.sample(std::to_string(metrics.write_errors.get()));
  text.begin("finalize_seconds", "histogram",
             "Time from the end of a recording to its regular file in the storage.");
  text.histogram(metrics.finalizations);
}

void add_work(Text& text, const catalog::WorkFigures& work) {
  text.begin("jobs", "gauge", "Videos that are to be processed, are processed, or were given up.");
  text.sample("state", "waiting", static_cast<std::uint64_t>(work.waiting));
  text.sample("state", "running", static_cast<std::uint64_t>(work.running));
  text.sample("state", "failed", static_cast<std::uint64_t>(work.failed));
  text.begin("jobs_done_total", "counter", "Jobs that were done.");
  text.sample(std::to_string(work.done));
  text.begin("processing_seconds_total", "counter", "Time that jobs took, failed ones as well.");
  text.milliseconds(work.processing_ms);
  text.begin("deliveries", "gauge", "Deliveries to webhooks that wait.");
  text.sample(std::to_string(work.deliveries_waiting));
  text.begin("deliveries_total", "counter",
             "Tries to deliver an event to a webhook: taken, or not; and deliveries given up.");
  text.sample("result", "delivered", static_cast<std::uint64_t>(work.delivered));
  text.sample("result", "not_taken", static_cast<std::uint64_t>(work.not_taken));
  text.sample("result", "given_up", static_cast<std::uint64_t>(work.given_up));
}

}  // namespace

Result<std::string> metrics_text(runtime::LiveState& state,
                                 const std::optional<catalog::WorkFigures>& work) {
  Result<Now> now = look(state);
  if (!now) {
    return std::move(now).error();
  }
  Text text;
  text.begin("active", "gauge", "Recordings that are being made now.");
  text.sample(std::to_string(now.value().active));
  add_counters(text, state.metrics());
  text.begin("buffer_bytes", "gauge", "Media of recordings that wait to be written.");
  text.sample(std::to_string(now.value().waiting_bytes));
  text.begin("free_bytes", "gauge", "Free space on the spool's file system.");
  if (const std::int64_t free = state.shared_gauges()->spool_free_bytes.get(); free >= 0) {
    text.sample(std::to_string(free));
  }
  if (work) {
    add_work(text, *work);
  }
  return text.take();
}

}  // namespace recording::api
