// Clips of a recording are compared with what the fragments say, sample by sample, by a reader that
// shares nothing with the writer.
#include <algorithm>
#include <string>
#include <vector>

#include "mp4/served_layout.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using mp4::Clip;
using mp4::ServedLayout;

constexpr char kPath[] = "source.mp4";
constexpr std::int64_t kEnd = mp4::kEndless;
constexpr int kSeconds = 200;  // several indexes
constexpr int kSoundChange = 151;

// 200 s: sound from 2 s on, another picture size at 4 s, an interruption at 5 s, and at 151 s,
// between two key frames, another sound configuration.
std::vector<OwnedFragment> long_life() {
  auto life = eventful_life(kSeconds);
  life[kSoundChange].config[1] = audio_config();
  life[kSoundChange].config[1]->source.channels = 1;
  life[kSoundChange].runs[0].samples[0].key = false;
  return life;
}

struct Source {
  explicit Source(std::vector<OwnedFragment> fragments, bool finished)
      : life(std::move(fragments)) {
    auto file = create_recording(files, kPath);
    for (auto& fragment : life) {
      must(fragment.append_to(*file));
    }
    length = file->length();
    if (finished) {
      must(file->finish());
    }
  }

  Result<std::unique_ptr<ServedLayout>> open(const Clip& clip) {
    return ServedLayout::open(must(files.open_for_read(kPath)), length, clip);
  }
  Bytes bytes(const Clip& clip) {
    auto layout = must(open(clip));
    Bytes sent(layout->memory_length());
    must(layout->read(sent, 0));
    const Bytes all = files.read(kPath);
    put_bytes(sent, ByteView(all).subspan(layout->media_offset(), layout->length() - sent.size()));
    return sent;
  }
  std::string refusal(const Clip& clip) {
    auto layout = open(clip);
    return layout ? "" : layout.error().message.substr(0, layout.error().message.find(':'));
  }

  MemFileSystem files;
  std::vector<OwnedFragment> life;
  std::uint64_t length = 0;
};

struct Wanted {
  std::map<std::uint32_t, std::vector<Mp4Sample>> samples;  // dts as in the source
  std::int64_t zero = 0;                                    // in ticks of 1/120000 s
};

std::int64_t clock_of(std::uint32_t track) { return track == 1 ? 120000 : 48000; }
std::int64_t pts(const Mp4Sample& sample) { return sample.dts + sample.cts; }

// By the words of the documentation, over the list of all samples.
Wanted by_time(const std::vector<OwnedFragment>& life, std::int64_t from_ms, std::int64_t to_ms) {
  auto all = expected_samples(life, life.size());
  Wanted wanted{{}, from_ms * 120};
  const auto& pictures = all[1];
  std::size_t first = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (pictures[i].key && pts(pictures[i]) / 120 <= from_ms) {
      first = i;
      wanted.zero = pts(pictures[i]);
    }
  }
  for (std::uint32_t track : {1U, 2U}) {
    const auto& samples = all[track];
    std::size_t begin = first, end = 0;
    if (track == 2) {
      begin = 0;
      while (begin < samples.size() &&
             (pts(samples[begin]) + samples[begin].duration) * 5 / 2 <= wanted.zero) {
        ++begin;
      }
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
      end = to_ms == kEnd || pts(samples[i]) * 1000 < to_ms * clock_of(track) ? i + 1 : end;
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (track == 2 || pts(samples[i]) >= pts(pictures[first])) {
        wanted.samples[track].push_back(samples[i]);
      }
    }
  }
  return wanted;
}

void renumber_entries(std::vector<Mp4Sample>& samples) {
  std::vector<std::uint32_t> seen;
  for (Mp4Sample& sample : samples) {
    if (seen.empty() || seen.back() != sample.entry) {
      seen.push_back(sample.entry);
    }
    sample.entry = static_cast<std::uint32_t>(seen.size());
  }
}

// When a sample is shown, in ticks of 1/120000 s of the movie, by its edit list.
std::int64_t shown_at(const Mp4Track& track, const Mp4Sample& sample, std::int64_t clock) {
  std::int64_t start = 0, media_time = 0;
  for (const Mp4Edit& edit : track.edits) {
    edit.media_time < 0 ? start += static_cast<std::int64_t>(edit.duration)
                        : media_time = edit.media_time;
  }
  return start + (pts(sample) - media_time) * 120000 / clock;
}

void check(const Bytes& sent, Wanted wanted) {
  Mp4Parser parser(sent);
  assert_true(parser.types() == std::vector<std::string>({"ftyp", "moov", "mdat"}));
  auto tracks = parser.tracks();
  std::erase_if(wanted.samples, [](const auto& track) { return track.second.empty(); });
  assert_int_equal(tracks.size(), wanted.samples.size());
  for (auto& [id, track] : tracks) {
    auto& samples = wanted.samples.at(id);
    renumber_entries(samples);
    assert_int_equal(track.entries.size(), samples.back().entry);
    assert_int_equal(track.samples.size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      Mp4Sample sample = samples[i];
      sample.dts -= samples[0].dts;
      if (i + 1 < samples.size()) {  // longer where leading pictures were left out
        sample.duration = static_cast<std::uint32_t>(samples[i + 1].dts - samples[i].dts);
      }
      assert_true(sample == track.samples[i]);
      // Exact for pictures; sound within a tick of its own.
      const std::int64_t clock = clock_of(id);
      const std::int64_t off =
          shown_at(track, sample, clock) - (pts(samples[i]) * 120000 / clock - wanted.zero);
      assert_true(id == 1 ? off == 0 : off >= -3 && off <= 3);
    }
  }
}

void parts_between_two_times(void**) {
  const std::int64_t times[][2] = {
      {0, kEnd},        {0, 67},        {0, 4000},      {1500, 1600},
      {2000, 2100},     {3999, 4001},   {4067, 4068},   {4066, 6000},
      {4500, 5500},     {59000, 62000}, {100500, kEnd}, {150000, 152500},
      {151900, 151950}, {1, 199999},    {199000, kEnd}, {199999, 500000}};
  for (const bool finished : {false, true}) {
    Source source(long_life(), finished);
    for (const auto& [from, to] : times) {
      check(source.bytes({{}, from, to}), by_time(source.life, from, to));
    }
  }
}

void clips_that_meet_have_every_picture_once(void**) {
  FragmentMaker maker;
  std::vector<OwnedFragment> life;
  for (int i = 0; i < 130; ++i) {
    life.push_back(maker.next());
    for (auto& sample : life.back().runs[0].samples) {
      sample.cts = 4001;  // no whole number of milliseconds
    }
  }
  life[0].mark = begin_mark(1);
  life[0].config[0] = video_config();
  life[0].config[1] = audio_config();
  Source source(std::move(life), true);
  std::size_t pictures = 0;
  std::int64_t from = 0;
  for (const std::int64_t to : {3033L, 4033L, 90033L, kEnd}) {  // key frames, as the API tells them
    pictures += Mp4Parser(source.bytes({{}, from, to})).tracks()[1].samples.size();
    from = to;
  }
  assert_int_equal(pictures, 130 * 30);
}

void one_epoch_alone(void**) {
  const int begins[] = {0, 2, 4, kSoundChange, kSeconds};
  for (const bool finished : {false, true}) {
    Source source(long_life(), finished);
    for (std::uint32_t epoch = 0; epoch < 4; ++epoch) {
      auto before = expected_samples(source.life, static_cast<std::size_t>(begins[epoch]));
      auto until = expected_samples(source.life, static_cast<std::size_t>(begins[epoch + 1]));
      Wanted wanted{{}, kEnd};
      for (auto& [track, samples] : until) {
        samples.erase(samples.begin(),
                      samples.begin() + static_cast<std::ptrdiff_t>(before[track].size()));
        for (const auto& sample : samples) {
          wanted.zero = std::min(wanted.zero, pts(sample) * 120000 / clock_of(track));
        }
        wanted.samples[track] = samples;
      }
      if (epoch == 3) {  // decoded from the key frame before, but shown from the change on
        const auto& pictures = before[1];
        wanted.samples[1].insert(wanted.samples[1].begin(), pictures.end() - 30, pictures.end());
      }
      check(source.bytes({epoch, 0, kEnd}), wanted);
    }
  }
}

void what_is_not_there(void**) {
  for (const bool finished : {false, true}) {
    Source source(long_life(), finished);
    assert_string_equal(source.refusal({4, 0, kEnd}).c_str(), "epoch_not_found");
    assert_string_equal(source.refusal({4000000000, 0, kEnd}).c_str(), "epoch_not_found");
    assert_string_equal(source.refusal({{}, 201000, kEnd}).c_str(), "beyond_the_end");
    assert_string_equal(source.refusal({{}, 999999999999, kEnd}).c_str(), "beyond_the_end");
    assert_string_equal(source.refusal({{}, 0, 66}).c_str(), "beyond_the_end");  // before all
    assert_string_equal(source.refusal({{}, 199000, kEnd}).c_str(), "");
  }
}

// What refers to pictures before the key frame cannot be decoded, and is shown before it.
void leading_pictures_are_left_out(void**) {
  FragmentMaker maker;
  std::vector<OwnedFragment> life;
  for (int i = 0; i < 3; ++i) {
    life.push_back(maker.next());
    auto& pictures = life.back().runs[0].samples;
    pictures[0].cts = 12000;  // shown after the next two
    pictures[1].cts = pictures[2].cts = 0;
    for (std::size_t k = 3; k < pictures.size(); ++k) {
      pictures[k].cts = 8000;
    }
  }
  life[0].mark = begin_mark(1);
  life[0].config[0] = video_config();
  life[0].config[1] = audio_config();
  Source source(std::move(life), true);
  const Bytes sent = source.bytes({{}, 1500, kEnd});
  check(sent, by_time(source.life, 1500, kEnd));
  assert_int_equal(Mp4Parser(sent).tracks()[1].samples.size(), 60 - 2);
}

// One fragment after another is cut: a clip that is over is the same bytes at every moment.
void a_clip_that_is_over_does_not_change(void**) {
  Source growing(long_life(), false), finished(long_life(), true);
  const Clip clips[] = {{1, 0, kEnd}, {2, 0, kEnd}, {{}, 10000, 100000}};
  for (const Clip& clip : clips) {
    assert_true(growing.bytes(clip) == finished.bytes(clip));
    growing.length -= 60;  // no whole fragment ends there
    assert_false(static_cast<bool>(growing.open(clip)));
    growing.length += 60;
  }
}

void sound_alone_and_pictures_alone(void**) {
  for (const bool video : {false, true}) {
    FragmentMaker maker(true);
    std::vector<OwnedFragment> life;
    for (int i = 0; i < 80; ++i) {
      life.push_back(maker.next(video, !video));
    }
    life[0].mark = begin_mark(1);
    life[0].config[video ? 0 : 1] = video ? video_config() : audio_config();
    Source source(std::move(life), true);
    for (const auto& [from, to] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{0, kEnd}, {10010, 70000}}) {
      check(source.bytes({{}, from, to}), by_time(source.life, from, to));
    }
    assert_string_equal(source.refusal({{}, 80500, kEnd}).c_str(), "beyond_the_end");
  }
}

// The last picture of each fragment is expected to last longer than it does: an index begins, by
// its own words, behind its first key frame.
void key_frames_that_come_earlier_than_expected(void**) {
  FragmentMaker maker;
  std::vector<OwnedFragment> life;
  for (int i = 0; i < 130; ++i) {
    life.push_back(maker.next(true, false));
    life.back().runs[0].last_duration = 12000;
  }
  life[0].mark = begin_mark(1);
  life[0].config[0] = video_config();
  Source source(std::move(life), true);
  for (std::int64_t second = 0; second < 130; ++second) {
    check(source.bytes({{}, second * 1000, second * 1000 + 500}),
          by_time(source.life, second * 1000, second * 1000 + 500));
  }
}

void one_track_of_both(void**) {
  for (const media::TrackKind kind : {media::TrackKind::kVideo, media::TrackKind::kAudio}) {
    Source source(long_life(), true);
    const std::uint32_t id = kind == media::TrackKind::kVideo ? 1 : 2;
    Wanted wanted = by_time(source.life, 59500, 70000);
    wanted.samples.erase(3 - id);
    if (id == 2) {  // no key frame that it has to begin with
      std::erase_if(wanted.samples[2], [](const Mp4Sample& sample) {
        return (pts(sample) + sample.duration) * 1000 <= std::int64_t{59500} * 48000;
      });
      wanted.zero = 59500 * 120;
    }
    check(source.bytes({{}, 59500, 70000, kind}), wanted);
  }
}

}  // namespace

// Pictures alone, of a file whose last indexes tell of sound alone.
void pictures_that_ended_long_before_the_sound(void**) {
  FragmentMaker maker;
  std::vector<OwnedFragment> life;
  for (int i = 0; i < kSeconds; ++i) {
    life.push_back(maker.next(i < 4));
  }
  life[0].mark = begin_mark(1);
  life[0].config[0] = video_config();
  life[0].config[1] = audio_config();
  Source source(std::move(life), true);
  Clip clip;
  clip.from_ms = 1000;
  clip.only = media::TrackKind::kVideo;
  assert_int_equal(Mp4Parser(source.bytes(clip)).tracks().at(1).samples.size(), 90);
  clip.from_ms = 5000;
  assert_string_equal(source.refusal(clip).c_str(), "beyond_the_end");
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(parts_between_two_times),
      cmocka_unit_test(clips_that_meet_have_every_picture_once),
      cmocka_unit_test(one_epoch_alone),
      cmocka_unit_test(what_is_not_there),
      cmocka_unit_test(pictures_that_ended_long_before_the_sound),
      cmocka_unit_test(leading_pictures_are_left_out),
      cmocka_unit_test(a_clip_that_is_over_does_not_change),
      cmocka_unit_test(sound_alone_and_pictures_alone),
      cmocka_unit_test(key_frames_that_come_earlier_than_expected),
      cmocka_unit_test(one_track_of_both),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
