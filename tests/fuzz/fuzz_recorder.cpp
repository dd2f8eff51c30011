// Bytes become the life of an encoder and of the workers that serve it: messages of any timestamps
// and sizes, stops and starts, reconnects, disk errors, kills between any two steps. Whatever
// happens, the videos hold what was handed in, in order, once, unless the log says that samples
// were dropped.
#include <set>

// The fuzz targets link the core alone.
#include "support/fault_file.cpp"
#include "support/mem_file.cpp"

#include "recorder/control.hpp"
#include "unit/test_recorder_support.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using media::TrackKind;
using recorder::SessionEnd;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool ended() const { return at_ >= size_; }
  std::uint8_t u8() { return ended() ? std::uint8_t{0} : data_[at_++]; }
  std::uint32_t u16() { return static_cast<std::uint32_t>(u8()) << 8 | u8(); }
  std::uint32_t u32() { return u16() << 16 | u16(); }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

struct Sent {
  Bytes bytes;
  bool owed = false;
};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

class Life {
 public:
  explicit Life(Input& in) : in_(in) {
    const std::uint8_t flags = in.u8();
    machine_.rules.fragment_ms = 200 + 100 * (flags & 7);
    machine_.rules.reconnect_window_ms = (flags & 8) != 0 ? 3000 : 60000;
    machine_.rules.max_duration_ms = (flags & 16) != 0 ? 900 : 0;
    machine_.rules.keep_gap = (flags & 32) != 0;
    machine_.rules.sync = (flags & 64) != 0 ? 1 : 2;
    machine_.rules.buffer_bytes = 1 << 20;
    machine_.extent_segments = 4;  // a worker is begun some thousand times a second
    mp3_ = (flags & 128) != 0;
    worker_.emplace(machine_);
    worker_->tick();
  }

  void run() {
    for (int steps = 0; !in_.ended() && steps < 160; ++steps) {
      step();
    }
    machine_.disk.clear_faults();
    crash();
    for (int i = 0; i < 30 && !worker_->recordings().empty(); ++i) {
      worker_->tick(5000);
    }
    if (!worker_->recordings().empty()) {
      fail("a recording does not come to its end");
    }
    check();
  }

 private:
  void step() {
    const std::uint8_t what = in_.u8();
    switch (what % 20) {
      case 0:
        publish();
        break;
      case 1:
        end();
        break;
      case 2:
        crash();
        break;
      case 3:
        worker_->tick(in_.u8() * 10);
        break;
      case 4:
        (void)(worker_->io.run_one() || worker_->finish_io.run_one());
        break;
      case 5:
        (void)(worker_->io.finish_one() || worker_->finish_io.finish_one());
        break;
      case 6:
        worker_->settle();
        break;
      case 7:
        stop_or_start(what < 128);
        break;
      case 8:
        machine_.disk.inject(
            {Call::kAnyChange, 1 + in_.u8() % 4, what < 128 ? 28 : 5, in_.u8(), false, false});
        break;
      case 9:
        configure_video(what);
        break;
      case 10:
        configure_audio();
        break;
      case 11:
        mp3();
        break;
      case 12:
        other();
        break;
      case 13:
        time_ += in_.u32();  // a leap, often backwards
        break;
      default:
        if (what % 3 != 0) {
          picture(what);
        } else {
          packet();
        }
    }
  }

  void publish() {
    if (session_ != nullptr) {
      return;
    }
    session_ = worker_->publish();
    worker_->settle();
    codec_ = {};
    owed_ = true;
    last_ms_ = machine_.clock.monotonic_ms();
    if (session_ != nullptr && in_.u8() % 4 != 0) {
      configure_video(1);
      configure_audio();
    }
  }
  void end() {
    if (session_ != nullptr) {
      worker_->recorder().end(session_, SessionEnd::kInterrupted);
      session_ = nullptr;
      if (in_.u8() % 4 != 0) {
        worker_->settle();
      }
    }
  }
  void crash() {
    session_ = nullptr;
    worker_.reset();
    worker_.emplace(machine_);
    worker_->tick();
  }
  void stop_or_start(bool stop) {
    const std::int32_t index = worker_->stream_index();
    if (stop) {
      (void)recorder::stop_recording(worker_->state(), machine_.clock, index);
      owed_ = false;  // until the next publish
    } else {
      (void)recorder::start_recording(worker_->state(), machine_.clock, index, 0);
      started_ = true;
    }
    if (in_.u8() % 2 == 0) {
      worker_->recorder().woken();
    }
  }

  void hear() {
    if (machine_.clock.monotonic_ms() - last_ms_ >= machine_.rules.reconnect_window_ms) {
      owed_ = false;  // after such a silence a recording begins anew, with a key frame
    }
    last_ms_ = machine_.clock.monotonic_ms();
  }
  void give(TrackKind kind, const Bytes& message) {
    hear();
    send(*session_, kind, time_, message);
  }
  // A payload like no other.
  Bytes payload(std::uint8_t first, std::size_t size) {
    ++number_;
    Bytes bytes(size + 5, static_cast<std::uint8_t>(0x80 | number_));
    bytes[0] = first;
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[1 + i] = static_cast<std::uint8_t>(0x80 | number_ >> (7 * i));
    }
    return bytes;
  }
  // What comes while nothing is recorded, or cannot be yet (there are as many sessions as a
  // recording can wait for), may be lost.
  bool attached() {
    for (const auto& record : worker_->recordings()) {
      if (record.session == session_->id() && record.state == runtime::RecordingState::kActive) {
        return true;
      }
    }
    return false;
  }
  void note(TrackKind kind, Bytes bytes) {
    hear();
    sent_[media::index_of(kind)].push_back({std::move(bytes), owed_ && attached()});
  }

  void configure_video(std::uint8_t what) {
    if (session_ != nullptr) {
      width_ = 10 + what % 3;
      give(TrackKind::kVideo, flv_video(true, 0, avc_record(small_sps(width_), small_pps())));
      codec_[0] = media::Codec::kAvc;
    }
  }
  void configure_audio() {
    if (session_ != nullptr && !mp3_) {
      give(TrackKind::kAudio, flv_aac(0, aac_record()));
      codec_[1] = media::Codec::kAac;
    }
  }
  void picture(std::uint8_t what) {
    const std::uint32_t more = in_.u16();
    if (session_ == nullptr) {
      return;
    }
    time_ += more >> 8 & 63;
    machine_.clock.advance(more >> 8 & 63);
    const bool key = (more & 7) == 0;
    const std::size_t size = (more & 0x18) == 0 ? (what + 1U) * 600U : more & 0xFF;
    const Bytes unit = nal(payload(key ? 0x65 : 0x41, size));
    if (codec_[0] == media::Codec::kAvc) {
      Bytes stored = key ? nal(small_sps(width_)) : Bytes{};
      if (key) {
        put_bytes(stored, nal(small_pps()));
      }
      put_bytes(stored, unit);
      note(TrackKind::kVideo, std::move(stored));
    }
    give(TrackKind::kVideo,
         flv_video(key, 1, unit, static_cast<std::int32_t>(more >> 14) * 40 - 40));
  }
  void packet() {
    const std::uint8_t more = in_.u8();
    if (session_ == nullptr) {
      return;
    }
    time_ += more & 31;
    machine_.clock.advance(more & 31);
    const Bytes bytes = payload(0x21, more);
    if (codec_[1] == media::Codec::kAac) {
      note(TrackKind::kAudio, bytes);
    }
    give(TrackKind::kAudio, flv_aac(1, bytes));
  }
  void mp3() {
    if (session_ == nullptr || !mp3_) {
      return;
    }
    Bytes frame = payload(0xFF, 20);
    Bytes head{0xFF, 0xFB, 0x90, 0x00};  // 128 kbit/s, 44.1 kHz, stereo
    put_bytes(head, frame);
    note(TrackKind::kAudio, head);
    codec_[1] = media::Codec::kMp3;
    Bytes message{0x2F};
    put_bytes(message, head);
    give(TrackKind::kAudio, message);
  }
  // What is not recorded.
  void other() {
    if (session_ == nullptr) {
      return;
    }
    static const Bytes kMessages[] = {{},
                                      {0x12, 1, 2},
                                      {0x17},
                                      {0x57, 0},
                                      {0xAF},
                                      {0x17, 0, 0, 0, 0, 1, 2, 3},
                                      {0xAF, 0, 0xFF},
                                      {0x90, 'h', 'v', 'c', '1'}};
    const std::uint8_t which = in_.u8();
    give(which < 128 ? TrackKind::kVideo : TrackKind::kAudio,
         kMessages[which % std::size(kMessages)]);
  }

  void check() {
    const bool dropped = machine_.log.count("recording_buffer of") != 0 ||
                         machine_.log.count("samples were dropped") != 0;
    for (std::size_t i = 0; i < 2; ++i) {
      std::map<Bytes, std::size_t> number;
      for (std::size_t k = 0; k < sent_[i].size(); ++k) {
        number[sent_[i][k].bytes] = k;
      }
      std::set<std::size_t> found;
      for (const auto& row : ready_videos(machine_)) {
        const Movie movie = read_movie(file_of(machine_, row));
        if (!movie.readable) {
          fail("a video that is no MP4");
        }
        std::size_t last = 0;
        for (std::size_t k = 0; k < movie.samples[i].size(); ++k) {
          const Mp4Sample& sample = movie.samples[i][k];
          const auto known = number.find(sample.bytes);
          if (known == number.end()) {
            fail("a sample that nobody sent");
          }
          if (k > 0 && (known->second <= last || sample.dts <= movie.samples[i][k - 1].dts)) {
            fail("samples out of order");
          }
          // A recording that was begun by hand reaches back to the key frame.
          if (!found.insert(known->second).second && !started_) {
            fail("a sample in two places");
          }
          last = known->second;
        }
      }
      for (std::size_t k = 0; k < sent_[i].size(); ++k) {
        if (sent_[i][k].owed && !found.contains(k) && !dropped) {
          std::fprintf(stderr, "kind %zu, sample %zu of %zu\n", i, k, sent_[i].size());
          for (const auto& line : machine_.log.lines()) {
            std::fprintf(stderr, "  %s\n", line.text.c_str());
          }
          fail("a sample is missing");
        }
      }
    }
    for (const std::string& path : machine_.spooled()) {
      if (path.find(".unreadable") == std::string::npos) {
        fail("something is left in the spool");
      }
    }
  }

  Input& in_;
  Machine machine_;
  std::optional<Worker> worker_;
  recorder::Session* session_ = nullptr;
  recorder::PerKind<media::Codec> codec_{};
  recorder::PerKind<std::vector<Sent>> sent_;
  std::uint32_t time_ = 0, number_ = 0, width_ = 10;
  std::int64_t last_ms_ = 0;  // of the last message, monotonic
  bool owed_ = false;
  bool started_ = false;
  bool mp3_ = false;  // instead of AAC: an encoder keeps its codec when it comes back
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) {
    Input in(data, size);
    Life(in).run();
  }
  return 0;
}
