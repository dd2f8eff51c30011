// A finished recording on its way from the spool to a storage on another file system.
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "media/avc_config.hpp"
#include "recorder/conclusion.hpp"
#include "support/forwarding_files.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;

// Storage on another file system than the spool.
class TwoDisks final : public ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Status rename(const std::string& from, const std::string& to) override {
    if (from.substr(0, 4) != to.substr(0, 4)) {
      return Error{Errc::kIo, "another device", EXDEV};
    }
    return ForwardingFiles::rename(from, to);
  }
};

struct Finished {
  MemFileSystem memory;
  FaultFileSystem disk{memory};
  TwoDisks disks{disk};
  mp4::Identity identity;
  Bytes expected;

  std::unique_ptr<recorder::RecordingWriter> write() {
    (void)memory.make_directories("/spool");
    (void)memory.make_directories("/videos");
    disk.settle();
    identity.slug = "slug";
    identity.app = "live";
    identity.stream = "cam";
    identity.started_wall_ms = 1700000000000;
    auto made = recorder::RecordingWriter::create(disks, "/spool", identity);
    assert_true(bool{made});
    media::TrackConfig config =
        media::parse_avc_config(avc_record(small_sps(), small_pps())).value().track();
    Bytes bytes(1000, 0x41);
    const mp4::Sample sample{0, 0, 1000, true};
    const iovec piece{bytes.data(), bytes.size()};
    recorder::SessionSamples samples;
    samples.samples[0] = {&sample, 1};
    samples.pieces[0] = {&piece, 1};
    samples.last_duration[0] = 4000;
    samples.config[0] = &config;
    recorder::Seam seam;
    seam.session = 5;
    assert_true(bool{made.value()->append(samples, &seam)});
    return std::move(made).value();
  }
  std::string stored() const {
    return "/videos/" + recorder::storage_folder(identity) + "/source.mp4";
  }
};

// Each operation of the move across fails once, or is the last before the power goes: the file is
// somewhere at any time, and in the end where it belongs and nowhere else.
void move_to_another_disk_may_be_interrupted_anywhere(void**) {
  for (const bool power_cut : {false, true}) {
    bool met = true;
    for (int n = 1; met; ++n) {
      Finished life;
      auto writer = life.write();
      assert_true(bool{writer->sync()});
      const std::uint64_t before = life.disk.calls(Call::kAnyChange);
      life.disk.inject({Call::kAnyChange, n, EIO, 300, power_cut, false});
      auto outcome =
          recorder::conclude(life.disks, "/spool", "/videos", life.identity, writer.get());
      met = life.disk.calls(Call::kAnyChange) - before >= static_cast<std::uint64_t>(n);
      life.disk.clear_faults();
      if (power_cut) {
        life.disk.cut_power();
        writer.reset();
        auto again = recorder::RecordingWriter::reopen(life.disks, "/spool", "slug");
        if (again) {
          writer = std::move(again).value();
        }
      }
      outcome =
          writer != nullptr
              ? recorder::conclude(life.disks, "/spool", "/videos", life.identity, writer.get())
              : recorder::concluded_before(life.disks, "/videos", life.identity);
      if (!outcome || !life.memory.exists(life.stored()) ||
          life.memory.exists("/spool/slug/source.mp4")) {
        fail_msg("operation %d: %s", n, outcome ? "left behind" : outcome.error().message.c_str());
      }
      const Movie movie = read_movie(life.memory.read(life.stored()));
      assert_int_equal(movie.samples[0].size(), 1);
      assert_int_equal(outcome.value().duration_ms, 33);
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(move_to_another_disk_may_be_interrupted_anywhere),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
