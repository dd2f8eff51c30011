#pragma once

#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mem_file.hpp"
#include "mp4/recording_file.hpp"
#include "mp4_parser.hpp"

namespace recording::test {

inline media::TrackConfig video_config(std::uint8_t variant = 1, std::uint32_t width = 640) {
  media::TrackConfig config;
  config.codec = media::Codec::kAvc;
  config.timescale = media::kVideoTimescale;
  config.default_duration = 4000;
  config.record = Bytes(40, variant);
  config.source.level = variant;
  config.source.width = width;
  config.source.height = 360;
  return config;
}

inline media::TrackConfig audio_config(std::uint32_t rate = 48000) {
  media::TrackConfig config;
  config.codec = media::Codec::kAac;
  config.timescale = config.source.sample_rate = rate;
  config.default_duration = 1024;
  config.record = {0x11, static_cast<std::uint8_t>(rate == 48000 ? 0x90 : 0x92)};
  config.source.channels = 2;
  return config;
}

// A fragment that owns its bytes.
struct OwnedFragment {
  struct OwnedRun {
    std::vector<mp4::Sample> samples;
    std::vector<Bytes> bytes;
    std::uint32_t last_duration = 0;
  };
  OwnedRun runs[media::kTrackKinds];
  std::optional<mp4::Mark> mark;
  std::vector<media::TimestampRepair> repairs;
  std::optional<media::TrackConfig> config[media::kTrackKinds];

  void add(media::TrackKind kind, std::int64_t dts, std::uint32_t cts, bool key, Bytes bytes) {
    OwnedRun& run = runs[static_cast<int>(kind)];
    run.samples.push_back({dts, cts, static_cast<std::uint32_t>(bytes.size()), key});
    run.bytes.push_back(std::move(bytes));
  }

  Status append_to(mp4::RecordingFile& file) {
    std::vector<iovec> pieces[media::kTrackKinds];
    std::vector<mp4::Run> list;
    mp4::Fragment fragment;
    for (std::size_t i = 0; i < media::kTrackKinds; ++i) {
      for (Bytes& bytes : runs[i].bytes) {  // in two pieces: a sample need not lie in one
        pieces[i].push_back({bytes.data(), bytes.size() / 2});
        pieces[i].push_back({bytes.data() + bytes.size() / 2, bytes.size() - bytes.size() / 2});
      }
      if (!runs[i].samples.empty()) {
        list.push_back(
            {static_cast<media::TrackKind>(i), runs[i].samples, pieces[i], runs[i].last_duration});
      }
      fragment.config[i] = config[i] ? &*config[i] : nullptr;
    }
    fragment.runs = list;
    fragment.mark = mark;
    fragment.repairs = repairs;
    return file.append(fragment);
  }
};

// Makes fragments of a second: 30 pictures (with composition offsets when `b_frames`) and the AAC
// frames of that time. Bytes are never zero, as no zeros are in compressed media.
class FragmentMaker {
 public:
  explicit FragmentMaker(bool b_frames = false, std::uint32_t picture = 40)
      : b_frames_(b_frames), picture_(picture) {}

  OwnedFragment next(bool video = true, bool audio = true) {
    OwnedFragment fragment;
    for (int i = 0; i < 30 && video; ++i) {
      static constexpr std::uint32_t kCts[] = {8000, 20000, 8000, 0};
      fragment.add(media::TrackKind::kVideo, second_ * 120000 + i * 4000,
                   b_frames_ ? kCts[i % 4] : 0, i == 0, random_bytes(picture_));
    }
    fragment.runs[0].last_duration = 4000;
    for (; audio_dts_ < (second_ + 1) * 48000; audio_dts_ += 1024) {
      if (audio) {
        fragment.add(media::TrackKind::kAudio, audio_dts_, 0, true, random_bytes(12));
      }
    }
    fragment.runs[1].last_duration = 1024;
    ++second_;
    return fragment;
  }

  Bytes random_bytes(std::uint32_t about) {
    Bytes bytes(about / 2 + random_() % about);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(1 + random_() % 255);
    }
    return bytes;
  }

 private:
  bool b_frames_;
  std::uint32_t picture_;
  std::int64_t second_ = 0, audio_dts_ = 0;
  std::mt19937 random_{7};
};

inline mp4::Mark begin_mark(std::uint64_t session) {
  mp4::Mark mark;
  mark.session = session;
  mark.fence = session + 100;
  mark.next_ordinal = {session * 10, session * 20};
  mark.origin_us = -5;
  mark.reason = "publish";
  return mark;
}

inline media::TimestampRepair repair_at(std::int64_t ms, media::RepairKind kind,
                                        std::uint32_t count = 1) {
  return {kind, media::TrackKind::kVideo, count, ms, 1000, ms};
}

// A life with all that can happen: audio that comes later, another picture size, an interruption,
// timestamps that are repaired.
inline std::vector<OwnedFragment> eventful_life(int seconds = 8) {
  std::vector<OwnedFragment> life;
  FragmentMaker maker(true);
  for (int i = 0; i < seconds; ++i) {
    life.push_back(maker.next(true, i >= 2));
  }
  life[0].mark = begin_mark(1);
  life[0].config[0] = video_config();
  if (seconds > 2) {
    life[2].config[1] = audio_config();
  }
  if (seconds > 5) {
    life[4].config[0] = video_config(2, 480);
    life[5].mark = begin_mark(2);
    life[3].repairs = {repair_at(3100, media::RepairKind::kBackward),
                       repair_at(3300, media::RepairKind::kRepeated, 7)};
    life[5].repairs = {repair_at(5000, media::RepairKind::kReset)};
    life.back().repairs.push_back(repair_at(seconds * 1000, media::RepairKind::kForwardJump));
  }
  return life;
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "unexpected error: %s\n", result.error().message.c_str());
    throw std::runtime_error(result.error().message);
  }
  return std::move(result).value();
}

inline void must(Status status) { (void)must<std::monostate>(std::move(status)); }

inline std::unique_ptr<mp4::RecordingFile> create_recording(storage::FileSystem& files,
                                                            const std::string& path) {
  mp4::Identity identity;
  identity.slug = "slug";
  identity.app = "live";
  identity.stream = "cam";
  identity.video_id = 7;
  identity.started_wall_ms = 1700000000000;
  identity.record_type = "origin";
  return must(mp4::RecordingFile::create(must(files.create(path)), std::move(identity)));
}

inline std::unique_ptr<mp4::RecordingFile> reopen_recording(storage::FileSystem& files,
                                                            const std::string& path) {
  return must(mp4::RecordingFile::reopen(must(files.open(path))));
}

// Appends them all, and tells where each ends.
inline std::vector<std::size_t> append_all(mp4::RecordingFile& file,
                                           std::vector<OwnedFragment>& life) {
  std::vector<std::size_t> ends;
  for (OwnedFragment& fragment : life) {
    must(fragment.append_to(file));
    ends.push_back(static_cast<std::size_t>(file.length()));
  }
  return ends;
}

// What a player must find after these fragments, durations from one dts to the next one.
inline std::map<std::uint32_t, std::vector<Mp4Sample>> expected_samples(
    const std::vector<OwnedFragment>& life, std::size_t fragments) {
  std::map<std::uint32_t, std::vector<Mp4Sample>> result;
  for (std::uint32_t track = 1; track <= 2; ++track) {
    std::vector<Mp4Sample> samples;
    std::uint32_t entry = 0, last = 0;
    for (std::size_t i = 0; i < fragments; ++i) {
      const auto& run = life[i].runs[track - 1];
      entry += life[i].config[track - 1] ? 1 : 0;
      for (std::size_t k = 0; k < run.samples.size(); ++k) {
        const mp4::Sample& sample = run.samples[k];
        if (!samples.empty()) {
          samples.back().duration = static_cast<std::uint32_t>(sample.dts - samples.back().dts);
        }
        samples.push_back({sample.dts, sample.cts, 0, entry, sample.key, run.bytes[k]});
        last = run.last_duration;
      }
    }
    if (!samples.empty()) {
      samples.back().duration = last;
      result[track] = std::move(samples);
    }
  }
  return result;
}

// Whether `file`, finished or not, has exactly these samples. Prints the first difference.
inline bool has_samples(ByteView file, std::map<std::uint32_t, std::vector<Mp4Sample>> expected) {
  Mp4Parser parser(file);
  const bool fragmented = parser.boxes.size() > 3 && parser.boxes[1].type == "free";
  auto tracks = parser.tracks();
  for (auto& [id, track] : tracks) {
    auto& wanted = expected[id];
    bool same = wanted.size() == track.samples.size();
    for (std::size_t i = 0; same && i < wanted.size(); ++i) {
      Mp4Sample sample = wanted[i];
      if (fragmented) {
        sample.entry = 1;
      } else {
        sample.dts -= wanted[0].dts;  // the edit list says when the track begins
      }
      same = sample == track.samples[i];
      if (!same) {
        std::fprintf(
            stderr, "track %u sample %zu: dts %lld not %lld, duration %u not %u, entry %u not %u\n",
            id, i, static_cast<long long>(track.samples[i].dts), static_cast<long long>(sample.dts),
            track.samples[i].duration, sample.duration, track.samples[i].entry, sample.entry);
      }
    }
    if (!same) {
      std::fprintf(stderr, "track %u: %zu samples, expected %zu\n", id, track.samples.size(),
                   wanted.size());
      return false;
    }
    expected.erase(id);
  }
  return expected.empty();
}

inline std::vector<OwnedFragment> crash_life() {
  auto life = eventful_life(7);
  // Big enough that a sector, or all but one, can be lost.
  FragmentMaker maker;
  for (auto& fragment : life) {
    auto& run = fragment.runs[0];
    run.bytes[0] = maker.random_bytes(3000);
    run.samples[0].size = static_cast<std::uint32_t>(run.bytes[0].size());
  }
  return life;
}

}  // namespace recording::test
