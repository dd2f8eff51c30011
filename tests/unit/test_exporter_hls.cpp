#include <cstring>
#include <string>
#include <vector>

#include "exporter/hls_index.hpp"
#include "exporter/playback_text.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using exporter::HlsIndex;

constexpr std::int64_t kUs = 1'000'000;
constexpr std::int64_t kStarted = 1'800'000'000'000;

HlsIndex index_of(MemFileSystem& files, const std::string& path,
                  const mp4::Committed& committed = {}) {
  auto file = must(files.open_for_read(path));
  return must(exporter::read_hls_index(*file, committed));
}

// A fragment of a second; `key` of its first picture.
OwnedFragment second(FragmentMaker& maker, bool key = true) {
  OwnedFragment fragment = maker.next();
  fragment.runs[0].samples[0].key = key;
  return fragment;
}

void begin(OwnedFragment& fragment, std::int64_t wall_ms = kStarted) {
  fragment.mark = begin_mark(1);
  fragment.mark->ended_wall_ms = wall_ms;
  fragment.config[0] = video_config();
  fragment.config[1] = audio_config();
}

std::vector<OwnedFragment> plain_life(int seconds, int gop) {
  std::vector<OwnedFragment> life;
  FragmentMaker maker;
  for (int i = 0; i < seconds; ++i) {
    life.push_back(second(maker, i % gop == 0));
  }
  begin(life[0]);
  return life;
}

void write(MemFileSystem& files, const std::string& path, std::vector<OwnedFragment>& life,
           bool finish = true) {
  auto file = create_recording(files, path);
  for (OwnedFragment& fragment : life) {
    must(fragment.append_to(*file));
  }
  if (finish) {
    must(file->finish());
  }
}

std::vector<std::int64_t> seconds_of(const HlsIndex& index) {
  std::vector<std::int64_t> out;
  for (const auto& segment : index.segments) {
    out.push_back((segment.duration_us + kUs / 2) / kUs);
  }
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

void segments_are_whole_groups_of_pictures(void**) {
  MemFileSystem files;
  auto life = plain_life(20, 3);
  write(files, "a", life);
  const HlsIndex index = index_of(files, "a");
  assert_true(index.finished);
  assert_true((seconds_of(index) == std::vector<std::int64_t>{6, 6, 6, 2}));
  assert_true(index.duration_us >= 20 * kUs && index.duration_us < 20 * kUs + 30'000);
  for (std::size_t i = 0; i < index.segments.size(); ++i) {
    const auto& segment = index.segments[i];
    assert_true(segment.begins_with_key);
    assert_false(segment.discontinuity);
    // One after the other: nothing of the file is left out in between.
    if (i > 0) {
      assert_int_equal(segment.offset, index.segments[i - 1].offset + index.segments[i - 1].size);
    }
  }
  assert_int_equal(index.width, 640);
  assert_true(index.frame_rate > 29.99 && index.frame_rate < 30.01);
}

// A player that has the playlist of a moment ago finds the same in front of what is new.
void a_growing_list_only_grows(void**) {
  for (const int gop : {1, 3, 7, 30}) {
    MemFileSystem files;
    auto life = plain_life(65, gop);
    life[20].mark = begin_mark(2);
    life[20].runs[0].samples[0].key = true;
    life[41].config[0] = video_config(2, 480);
    life[41].runs[0].samples[0].key = true;
    auto file = create_recording(files, "a");
    std::string before;
    for (OwnedFragment& fragment : life) {
      must(fragment.append_to(*file));
      const HlsIndex index = index_of(files, "a", {file->length(), file->last_index()});
      assert_false(index.finished);
      if (index.segments.empty()) {
        continue;
      }
      std::string now = exporter::media_playlist(index, "source.m4s", "");
      // A group of pictures that is divided takes the tag away; the segments stay.
      now = now.substr(now.find("#EXT-X-MAP"));
      assert_true(now.starts_with(before));
      assert_false(has(now, "ENDLIST"));
      before = now;
    }
    must(file->finish());
    const std::string whole = exporter::media_playlist(index_of(files, "a"), "source.m4s", "");
    assert_true(has(whole, before));
    assert_true(whole.ends_with("#EXT-X-ENDLIST\n"));
    assert_true(has(whole, "#EXT-X-TARGETDURATION:10\n"));
    assert_int_equal(count_of(whole, "#EXT-X-DISCONTINUITY\n"), 2);
    assert_int_equal(count_of(whole, "#EXT-X-MAP:"), 2);
    assert_int_equal(count_of(whole, "#EXT-X-INDEPENDENT-SEGMENTS"), gop == 30 ? 0 : 1);
  }
}

void a_group_longer_than_the_target_is_divided(void**) {
  MemFileSystem files;
  auto life = plain_life(40, 25);
  write(files, "a", life);
  const HlsIndex index = index_of(files, "a");
  assert_true((seconds_of(index) == std::vector<std::int64_t>{10, 10, 5, 10, 5}));
  assert_true(index.segments[0].begins_with_key && index.segments[3].begins_with_key);
  assert_false(index.segments[1].begins_with_key);
}

void a_map_is_the_epochs_own(void**) {
  MemFileSystem files;
  auto life = plain_life(20, 1);
  life[9].config[0] = video_config(2, 480);
  for (std::size_t i = 9; i < life.size(); ++i) {
    for (auto& sample : life[i].runs[1].samples) {
      sample.dts += 480;  // sound is late, and stands in front
    }
  }
  write(files, "a", life);
  const HlsIndex index = index_of(files, "a");
  assert_int_equal(index.maps.size(), 2);
  assert_true((seconds_of(index) == std::vector<std::int64_t>{4, 4, 1, 4, 4, 3}));
  assert_true(index.segments[3].discontinuity);
  assert_int_equal(index.segments[2].duration_us, 1'000'000);
  assert_int_equal(index.segments[2].map, 0);
  assert_int_equal(index.segments[3].map, 1);
  auto file = must(files.open_for_read("a"));
  for (const auto& map : index.maps) {
    Bytes bytes(map.size);
    assert_int_equal(must(file->read_at(bytes, map.offset)), map.size);
    assert_memory_equal(bytes.data() + 4, "ftyp", 4);
  }
  assert_int_equal(index.codecs.size(), 3);  // two of pictures, one of sound
  assert_true(index.codecs[0].starts_with("avc1.") && index.codecs[2].starts_with("mp4a."));
}

void what_is_missing_takes_no_time(void**) {
  MemFileSystem files;
  auto life = plain_life(20, 1);
  auto file = create_recording(files, "a");
  for (int i = 0; i < 20; ++i) {
    if (i >= 10) {  // 40 s of the file's time have nothing
      for (auto& sample : life[static_cast<std::size_t>(i)].runs[0].samples) {
        sample.dts += 40 * 120000;
      }
      for (auto& sample : life[static_cast<std::size_t>(i)].runs[1].samples) {
        sample.dts += 40 * 48000;
      }
    }
    if (i == 10) {
      life[10].mark = begin_mark(2);
      life[10].mark->began_wall_ms = kStarted + 10'000;
      life[10].mark->ended_wall_ms = kStarted + 52'300;
      life[10].mark->reason = "connection";
    }
    must(life[static_cast<std::size_t>(i)].append_to(*file));
  }
  must(file->finish());
  const HlsIndex index = index_of(files, "a");
  assert_true((seconds_of(index) == std::vector<std::int64_t>{4, 4, 2, 4, 4, 2}));
  assert_true(index.segments[3].discontinuity);
  assert_int_equal(index.interruptions.size(), 1);
  const std::string playlist = exporter::media_playlist(index, "source.m4s", "");
  assert_int_equal(count_of(playlist, "#EXT-X-PROGRAM-DATE-TIME:"), 2);
  assert_true(has(playlist, "#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.000Z\n"));
  assert_true(has(playlist, "#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:52.300Z\n"));
  assert_int_equal(count_of(playlist, "#EXT-X-MAP:"), 1);
  const std::string chapters = exporter::chapters_vtt(index);
  assert_true(chapters.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:10."));
  assert_true(has(chapters, "Beginning\n"));
  assert_true(has(chapters, "After an interruption of 42 s (connection)\n"));
  assert_int_equal(count_of(chapters, "-->"), 2);
}

void without_interruptions_there_are_no_chapters(void**) {
  MemFileSystem files;
  auto life = plain_life(5, 1);
  write(files, "a", life);
  assert_string_equal(exporter::chapters_vtt(index_of(files, "a")).c_str(), "WEBVTT\n");
}

void what_is_not_over_is_not_listed(void**) {
  MemFileSystem files;
  auto life = plain_life(4, 1);
  write(files, "a", life, false);
  auto file = must(files.open_for_read("a"));
  const std::uint64_t length = must(file->size());
  assert_int_equal(index_of(files, "a", length).segments.size(), 0);
  assert_int_equal(index_of(files, "a", 0).segments.size(), 0);
}

void sound_alone_can_be_played(void**) {
  MemFileSystem files;
  std::vector<OwnedFragment> life;
  FragmentMaker maker;
  for (int i = 0; i < 10; ++i) {
    life.push_back(maker.next(false, true));
  }
  life[0].mark = begin_mark(1);
  life[0].config[1] = audio_config();
  write(files, "a", life);
  const HlsIndex index = index_of(files, "a");
  assert_true((seconds_of(index) == std::vector<std::int64_t>{4, 4, 2}));
  assert_int_equal(index.width, 0);
  const std::string master = exporter::multivariant_playlist({{"source", index}}, "");
  assert_true(has(master, "CODECS=\"mp4a.40.2\"\n"));
  assert_false(has(master, "RESOLUTION"));
}

void a_multivariant_playlist_tells_what_was_measured(void**) {
  MemFileSystem files;
  auto life = plain_life(20, 1);
  for (std::size_t i = 8; i < 12; ++i) {
    for (auto& bytes : life[i].runs[0].bytes) {
      bytes.resize(3000, 7);
    }
    for (auto& sample : life[i].runs[0].samples) {
      sample.size = 3000;
    }
  }
  write(files, "a", life);
  const HlsIndex index = index_of(files, "a");
  // 4 s of 30 pictures a second of 3000 bytes; in 8 s, which is the shortest stretch of whole
  // segments that counts, half as much.
  assert_true(index.most_bps() > 360'000 && index.most_bps() < 460'000);
  assert_true(index.average_bps() > 144'000 && index.average_bps() < 200'000);
  const std::string master =
      exporter::multivariant_playlist({{"source", index}, {"720p", index}}, "md5=a&expires=1");
  assert_true(has(master, ",RESOLUTION=640x360,FRAME-RATE=30.000\nsource.m3u8?md5=a&expires=1\n"));
  assert_true(has(master, "\n720p.m3u8?md5=a&expires=1\n"));
  const std::string media = exporter::media_playlist(index, "720p.m4s", "md5=a&expires=1");
  assert_true(has(media, "#EXT-X-MAP:URI=\"720p.m4s?md5=a&expires=1&map=0\",BYTERANGE=\""));
  assert_int_equal(count_of(media, "\n720p.m4s?md5=a&expires=1\n"), index.segments.size());
}

void a_query_cannot_break_out_of_its_line(void**) {
  assert_string_equal(exporter::clean_query("a=b&c=%20/?").c_str(), "a=b&c=%20/?");
  assert_string_equal(exporter::clean_query("a=\"\r\n#\xff ").c_str(), "a=%22%0D%0A%23%FF%20");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(segments_are_whole_groups_of_pictures),
      cmocka_unit_test(a_growing_list_only_grows),
      cmocka_unit_test(a_group_longer_than_the_target_is_divided),
      cmocka_unit_test(a_map_is_the_epochs_own),
      cmocka_unit_test(what_is_missing_takes_no_time),
      cmocka_unit_test(without_interruptions_there_are_no_chapters),
      cmocka_unit_test(what_is_not_over_is_not_listed),
      cmocka_unit_test(sound_alone_can_be_played),
      cmocka_unit_test(a_multivariant_playlist_tells_what_was_measured),
      cmocka_unit_test(a_query_cannot_break_out_of_its_line),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
