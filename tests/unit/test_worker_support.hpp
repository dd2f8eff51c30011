#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/wall_time.hpp"
#include "storage/posix_file.hpp"
#include "support/fake_clock.hpp"
#include "support/memory_log.hpp"
#include "worker/video_job.hpp"
#include "test_catalog_support.hpp"

#include "cmocka.hpp"

// A job of recording-worker with everything around it: the processor is a fake, the rest is real.
namespace recording::test {

using catalog::Lease;
using catalog::RenditionRow;
using catalog::VideoRow;
using processing::Observer;
using processing::Order;
using processing::Outcome;

inline const std::string kSlug(32, 'a');
inline constexpr std::int64_t kMuch = std::int64_t{1} << 60;  // bytes; no disk has as many
inline constexpr const char* kHook = "http://hook/";

// Makes what it was ordered, each file with its own name in it, unless a test says otherwise.
struct FakeProcessor final : worker::Processor {
  Result<std::vector<transcode::RenditionSetting>> fitting(
      const std::string& source,
      const std::vector<transcode::RenditionSetting>& settings) override {
    asked_of = source;
    return unreadable ? Result<std::vector<transcode::RenditionSetting>>(*unreadable) : settings;
  }
  Result<Outcome> process(const Order& order, Observer& observer) override {
    orders.push_back(order);
    return during ? during(order, observer) : make(order);
  }
  Outcome make(const Order& order) const {
    Outcome outcome;
    for (const transcode::RenditionSetting& setting : order.renditions) {
      processing::Rendition& made = outcome.renditions.emplace_back();
      made.name = setting.name;
      made.width = 640;
      made.height = static_cast<std::uint32_t>(setting.height);
      made.size = setting.name.size();
      made.duration_ms = 5000;
      write(order.folder, setting.name + ".mp4");
    }
    if (order.pictures) {
      outcome.pictures = {true, 1, false, ""};
      write(order.folder, "poster.jpg");
      write(order.folder, "screenshot-1.jpg");
    }
    write(order.folder, ".processing-left");
    return outcome;
  }
  static void write(const std::string& folder, const std::string& name) {
    storage::PosixFileSystem files;
    auto file = files.create(folder + "/" + name);
    const iovec piece{const_cast<char*>(name.data()), name.size()};
    assert_true(file && file.value()->write_at({&piece, 1}, 0));
  }

  std::optional<Error> unreadable;
  std::function<Result<Outcome>(const Order&, Observer&)> during;
  std::string asked_of;
  std::vector<Order> orders;
};

// A catalogue with one viewable video of 854x480 that has a job; 480p and 240p are to be made of
// it.
struct JobFixture {
  JobFixture() : rows(open_catalog(folder)) {
    config.storage = folder.path() + "/storage";
    config.spool = folder.path() + "/spool";
    config.min_free_bytes = 0;
    config.webhooks = {{kHook, ""}};
    config.renditions = {{"480p", 480, 1'000'000, 64'000}, {"240p", 240, 300'000, 64'000}};
    VideoRow row = video_row(1, kSlug);
    row.path = "live/cam/day/" + kSlug;
    row.width = 854;
    row.height = 480;
    video_folder = config.storage + "/" + row.path;
    assert_true(bool(files.make_directories(video_folder)));
    FakeProcessor::write(video_folder, "source.mp4");
    assert_true(bool(rows->put_video(row)));
  }

  // The lease of the job, `later` ms from now; empty: it is not due.
  std::optional<Lease> lease(std::int64_t later = 1) {
    const std::int64_t now = catalog::wall_time_ms() + later;
    clock.set_wall(now);
    auto leased = rows->lease_job("me", now, now + worker::kLeaseMs);
    return leased ? std::move(leased).value() : std::nullopt;
  }
  void run(const Lease& lease) {
    worker::do_job({config, clock, log, *disk, processor}, *rows, lease, stop.get_token());
  }
  void run() {
    const auto due = lease();
    assert_true(due.has_value());
    run(*due);
  }
  std::vector<RenditionRow> renditions() { return rows->renditions({kSlug}).value(); }
  VideoRow video() { return rows->video(1).value(); }
  // What the webhook is told next; empty: nothing.
  std::string told() {
    const std::int64_t now = clock.wall_ms() + 1;
    auto delivery = rows->claim_delivery(kHook, now, now + 1000).value();
    if (!delivery) {
      return {};
    }
    assert_true(bool(rows->delivered(kHook, *delivery)));
    return delivery->body;
  }
  std::vector<std::string> names(const std::string& in) {
    auto list = files.list(in);
    auto found = list ? std::move(list).value() : std::vector<std::string>();
    std::sort(found.begin(), found.end());
    return found;
  }
  void assert_no_work_is_left() {
    assert_true(names(worker::work_folder(config)).empty());
    assert_true(names(video_folder) == std::vector<std::string>({"source.mp4"}));
  }

  TemporaryFolder folder;
  std::unique_ptr<catalog::Catalog> rows;
  config::Config config;
  std::string video_folder;
  FakeClock clock;
  MemoryLog log;
  storage::PosixFileSystem files;
  storage::FileSystem* disk = &files;  // that the job sees
  FakeProcessor processor;
  std::stop_source stop;
};

inline bool has(const std::string& text, const std::string& what) {
  return text.find(what) != text.npos;
}

}  // namespace recording::test
