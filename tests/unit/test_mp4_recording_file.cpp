#include <algorithm>
#include <string>
#include <vector>

#include "mp4/recording_reader.hpp"

#include "support/fault_file.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using media::TrackKind;
using mp4::RecordingFile;

constexpr char kPath[] = "source.mp4";
constexpr std::size_t kFtyp = 36;

void a_growing_file_has_every_fragment_at_once(void**) {
  MemFileSystem files;
  auto life = eventful_life();
  auto file = create_recording(files, kPath);
  bool same = true, lengths = true;
  for (std::size_t i = 0; i < life.size(); ++i) {
    must(life[i].append_to(*file));
    const Bytes bytes = files.read(kPath);
    lengths = lengths && file->length() == bytes.size();
    same = same && has_samples(bytes, expected_samples(life, i + 1));
  }
  const auto types = Mp4Parser(files.read(kPath)).types();
  assert_true(same);
  assert_true(lengths);
  assert_true(types[0] == "ftyp" && types[1] == "free" && types[2] == "moov" && types[3] == "free");
  assert_int_equal(file->duration_ms(), 8000);
}

void a_finished_file_is_a_regular_mp4_with_the_same_samples(void**) {
  MemFileSystem files;
  auto life = eventful_life();
  auto file = create_recording(files, kPath);
  for (auto& fragment : life) {
    must(fragment.append_to(*file));
  }
  const Bytes growing = files.read(kPath);
  must(file->finish());
  const Bytes finished = files.read(kPath);
  must(file->finish());
  Mp4Parser parser(finished);
  const auto tracks = parser.tracks();
  // Not one byte but the placeholder has changed.
  Bytes before(growing.begin(), growing.end()),
      after(finished.begin(), finished.begin() + static_cast<std::ptrdiff_t>(growing.size()));
  std::fill_n(before.begin() + kFtyp, 16, std::uint8_t{0});
  std::fill_n(after.begin() + kFtyp, 16, std::uint8_t{0});
  assert_true(files.read(kPath) == finished);  // finish() twice is finish() once
  assert_true(before == after);
  assert_true(parser.types() == std::vector<std::string>({"ftyp", "mdat", "moov"}));
  assert_true(has_samples(finished, expected_samples(life, life.size())));
  assert_int_equal(file->length(), finished.size());
  assert_int_equal(tracks.at(1).entries.size(), 2);
  assert_int_equal(tracks.at(2).entries.size(), 1);
  assert_true(tracks.at(1).entries[1].find(std::string(40, '\2')) != std::string::npos);
}

// A browser that finds that the sound jumps must not have got the key frame yet.
void sound_stands_in_front_of_a_seam(void**) {
  MemFileSystem files;
  FragmentMaker maker;
  auto file = create_recording(files, kPath);
  std::string told;
  for (int i = 0; i < 5; ++i) {
    OwnedFragment fragment = maker.next();
    if (i == 0) {
      fragment.config[0] = video_config();
      fragment.config[1] = audio_config();
    }
    if (i == 0 || i == 2) {
      fragment.mark = begin_mark(static_cast<std::uint64_t>(i) + 1);
    }
    if (i == 3) {
      fragment.config[0] = video_config(2, 480);
    }
    must(fragment.append_to(*file));
  }
  must(file->finish());
  auto finished = must(files.open_for_read(kPath));
  mp4::NoteVisitor visitor;
  visitor.on_mark = [&](const mp4::MarkNote&) { told += "|"; };
  visitor.on_epoch = [&](const mp4::EpochNote&) { told += "|"; };
  visitor.on_run = [&](const mp4::RunNote& run) {
    told += run.kind == TrackKind::kVideo ? "V" : run.samples == 1 ? "a" : "A";
  };
  must(mp4::read_notes(*finished, {}, visitor));
  assert_string_equal(told.c_str(), "||VAVA|aVA|aVAVA");
}

// What is kept of an interruption is no media; sound that comes back late is none either.
void what_is_missing_ends_with_the_first_sample(void**) {
  MemFileSystem files;
  FragmentMaker maker;
  auto file = create_recording(files, kPath);
  for (int i = 0; i < 4; ++i) {
    OwnedFragment fragment = maker.next();
    for (auto& sample : fragment.runs[0].samples) {
      sample.dts += i >= 2 ? 10 * 120000 : 0;
    }
    for (auto& sample : fragment.runs[1].samples) {
      sample.dts += i >= 2 ? 10 * 48000 + 43200 : 0;
    }
    if (i % 2 == 0) {
      fragment.mark = begin_mark(static_cast<std::uint64_t>(i) + 1);
    }
    if (i == 0) {
      fragment.config[0] = video_config();
      fragment.config[1] = audio_config();
    }
    must(fragment.append_to(*file));
  }
  assert_in_range(file->duration_ms() - file->media_ms(), 9'950, 10'000);
}

void edit_lists_start_each_track_at_its_first_pts(void**) {
  MemFileSystem files;
  auto life = eventful_life(4);
  auto file = create_recording(files, kPath);
  for (auto& fragment : life) {
    must(fragment.append_to(*file));
  }
  const Bytes growing = files.read(kPath);
  must(file->finish());
  Mp4Parser head(growing), whole(files.read(kPath));
  auto in_head = head.tracks();
  auto tracks = whole.tracks();
  const std::int64_t audio_first = life[2].runs[1].samples[0].dts;  // 48 kHz
  const std::int64_t audio_end = life[3].runs[1].samples.back().dts + 1024;
  assert_true(in_head.at(1).edits.empty() && in_head.at(2).edits.empty());
  assert_int_equal(whole.movie_timescale, 120000);
  // Video: pts of the first picture is 8000; the last one shown ends at 4 s + 8000 - 4000 or later.
  assert_int_equal(tracks.at(1).edits.size(), 2);
  assert_true(tracks.at(1).edits[0] == (Mp4Edit{8000, -1}));
  assert_int_equal(tracks.at(1).edits[1].media_time, 8000);
  // The picture with cts 20000 at 3 s + 29*4000 ends last.
  assert_int_equal(tracks.at(1).edits[1].duration, 360000 + 29 * 4000 + 20000 + 4000 - 8000);
  assert_true(tracks.at(2).edits[0] ==
              (Mp4Edit{static_cast<std::uint64_t>(audio_first * 5 / 2), -1}));
  assert_true(tracks.at(2).edits[1] ==
              (Mp4Edit{static_cast<std::uint64_t>((audio_end - audio_first) * 5 / 2), 0}));
}

void a_track_that_begins_at_zero_has_no_edit_list(void**) {
  MemFileSystem files;
  FragmentMaker maker;
  auto fragment = maker.next();
  fragment.mark = begin_mark(1);
  fragment.config[0] = video_config();
  fragment.config[1] = audio_config();
  auto file = create_recording(files, kPath);
  must(fragment.append_to(*file));
  must(file->finish());
  auto tracks = Mp4Parser(files.read(kPath)).tracks();
  assert_true(tracks.at(1).edits.empty());
  assert_true(tracks.at(2).edits.empty());
}

void a_later_track_changes_the_head_and_moves_nothing(void**) {
  MemFileSystem files;
  auto life = eventful_life(3);
  auto file = create_recording(files, kPath);
  must(life[0].append_to(*file));
  must(life[1].append_to(*file));
  const Bytes before = files.read(kPath);
  const auto* no_audio = file->config(TrackKind::kAudio);
  must(life[2].append_to(*file));
  const Bytes after = files.read(kPath);
  auto old_tracks = Mp4Parser(before).tracks();
  auto new_tracks = Mp4Parser(after).tracks();
  assert_null(no_audio);
  assert_non_null(file->config(TrackKind::kAudio));
  assert_int_equal(old_tracks.size(), 1);
  assert_int_equal(new_tracks.size(), 2);
  assert_true(std::equal(before.begin() + 4096, before.end(), after.begin() + 4096));
}

// The order that makes it crash-safe: copy, sync, head, sync, and only then the fragment.
void a_later_track_is_durable_before_its_first_fragment(void**) {
  MemFileSystem memory;
  FaultFileSystem files(memory);
  auto life = eventful_life(4);
  auto file = create_recording(files, kPath);
  must(files.sync_directory(""));
  must(life[0].append_to(*file));
  must(life[1].append_to(*file));
  must(file->sync());
  const auto writes = files.calls(Call::kWrite), syncs = files.calls(Call::kSync);
  must(life[2].append_to(*file));
  const auto late_writes = files.calls(Call::kWrite) - writes;
  const auto late_syncs = files.calls(Call::kSync) - syncs;
  must(life[3].append_to(*file));
  assert_int_equal(late_writes, 3);
  assert_int_equal(late_syncs, 2);
  assert_int_equal(files.calls(Call::kWrite) - writes, 4);  // an ordinary fragment is one write
  assert_int_equal(files.calls(Call::kSync) - syncs, 2);
}

void coming_back_after_every_fragment_changes_no_byte(void**) {
  MemFileSystem files;
  auto life = eventful_life(8);
  FragmentMaker maker;
  for (int i = 0; i < 125; ++i) {  // more than two minutes, so that index boxes are among them
    auto more = maker.next();
    if (i >= 8) {
      life.push_back(std::move(more));
    }
  }
  auto straight = create_recording(files, "straight.mp4");
  auto broken = create_recording(files, "broken.mp4");
  bool same = true;
  for (std::size_t i = 0; i < life.size(); ++i) {
    must(life[i].append_to(*straight));
    must(life[i].append_to(*broken));
    broken.reset();
    broken = reopen_recording(files, "broken.mp4");
    for (TrackKind kind : {TrackKind::kVideo, TrackKind::kAudio}) {
      same = same && straight->end_dts(kind) == broken->end_dts(kind) &&
             straight->timescale(kind) == broken->timescale(kind) &&
             straight->samples_since_mark(kind) == broken->samples_since_mark(kind) &&
             (straight->config(kind) == nullptr) == (broken->config(kind) == nullptr) &&
             (straight->config(kind) == nullptr ||
              straight->config(kind)->same_source(*broken->config(kind)));
    }
    same = same && straight->length() == broken->length() &&
           straight->duration_ms() == broken->duration_ms() &&
           straight->last_mark().session == broken->last_mark().session &&
           straight->last_mark().next_ordinal == broken->last_mark().next_ordinal &&
           straight->last_mark().origin_us == broken->last_mark().origin_us &&
           straight->last_mark().reason == broken->last_mark().reason;
  }
  must(straight->finish());
  must(broken->finish());
  auto again = reopen_recording(files, "broken.mp4");
  assert_true(same);
  assert_true(files.read("straight.mp4") == files.read("broken.mp4"));
  assert_true(has_samples(files.read("broken.mp4"), expected_samples(life, life.size())));
  assert_true(again->finished());
  assert_int_equal(again->length(), straight->length());
  assert_int_equal(again->identity().video_id, 7);
  assert_string_equal(again->identity().stream.c_str(), "cam");
}

struct Costs {
  std::uint64_t fragments = 0, index = 0, moov = 0;  // bytes an hour
};
Costs costs(bool b_frames) {
  MemFileSystem files;
  FragmentMaker maker(b_frames, 500);
  auto file = create_recording(files, kPath);
  constexpr std::uint64_t kSeconds = 600, kTimes = 3600 / kSeconds;
  for (std::uint64_t i = 0; i < kSeconds; ++i) {
    auto fragment = maker.next();
    fragment.config[0] = video_config();
    fragment.config[1] = audio_config();
    if (i == 0) {
      fragment.mark = begin_mark(1);
    }
    must(fragment.append_to(*file));
  }
  Costs result;
  const Bytes growing = files.read(kPath);
  for (const Mp4Box& box : Mp4Parser(growing).boxes) {
    result.fragments += box.type == "moof"   ? box.size * kTimes
                        : box.type == "mdat" ? 8 * kTimes
                                             : 0;
    result.index += box.type == "uuid" ? box.size * kTimes : 0;
  }
  must(file->finish());
  result.moov = Mp4Parser(files.read(kPath)).boxes[2].size * kTimes;
  return result;
}

void indexes_cost_no_more_than_they_may(void**) {
  const Costs plain = costs(false), b_frames = costs(true);
  print_message(
      "bytes an hour: fragment headers %llu, %llu; uuid boxes %llu, %llu; moov %llu, %llu\n",
      static_cast<unsigned long long>(plain.fragments),
      static_cast<unsigned long long>(b_frames.fragments),
      static_cast<unsigned long long>(plain.index), static_cast<unsigned long long>(b_frames.index),
      static_cast<unsigned long long>(plain.moov), static_cast<unsigned long long>(b_frames.moov));
  assert_true(plain.fragments <= 1750000);
  assert_true(plain.moov <= 1250000);
  assert_true(b_frames.fragments <= 2200000);
  assert_true(b_frames.moov <= 2100000);
}

void durations_between_fragments_are_exact(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  OwnedFragment first, second;
  first.mark = begin_mark(1);
  first.config[0] = video_config();
  first.add(TrackKind::kVideo, 0, 0, true, Bytes(9, 1));
  first.add(TrackKind::kVideo, 4000, 0, false, Bytes(9, 2));
  first.runs[0].last_duration = 4000;
  second.add(TrackKind::kVideo, 7777, 0, false, Bytes(9, 3));  // earlier than was predicted
  second.add(TrackKind::kVideo, 900000, 0, true, Bytes(9, 4));
  second.runs[0].last_duration = 5;
  std::vector<OwnedFragment> life{first, second};
  must(first.append_to(*file));
  must(second.append_to(*file));
  auto growing = Mp4Parser(files.read(kPath)).tracks();
  must(file->finish());
  auto track = Mp4Parser(files.read(kPath)).tracks().at(1);
  assert_int_equal(growing.at(1).samples[2].dts, 7777);
  assert_true(growing.at(1).samples[3].key && !growing.at(1).samples[2].key);
  assert_true(has_samples(files.read(kPath), expected_samples(life, 2)));
  assert_int_equal(track.samples[1].duration, 3777);
  assert_int_equal(track.samples[2].duration, 900000 - 7777);
  assert_int_equal(track.samples[3].duration, 5);
}

void times_beyond_32_bits_are_kept(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  const std::int64_t late = std::int64_t{1} << 33;
  OwnedFragment first, second;
  first.mark = begin_mark(1);
  first.config[0] = video_config();
  first.add(TrackKind::kVideo, late, 0, true, Bytes(9, 1));
  first.runs[0].last_duration = 4000;
  must(first.append_to(*file));
  auto growing = Mp4Parser(files.read(kPath)).tracks().at(1);
  file = reopen_recording(files, kPath);
  must(file->finish());
  auto finished = Mp4Parser(files.read(kPath)).tracks().at(1);
  assert_int_equal(growing.samples[0].dts, late);
  assert_true(finished.edits[0] == (Mp4Edit{static_cast<std::uint64_t>(late), -1}));
}

void a_change_keeps_the_timescale_of_the_track(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  OwnedFragment first, second;
  first.mark = begin_mark(1);
  first.config[1] = audio_config(44100);
  first.add(TrackKind::kAudio, 0, 0, true, Bytes(9, 1));
  first.runs[1].last_duration = 1024;
  second.config[1] = audio_config(48000);
  second.add(TrackKind::kAudio, 1024, 0, true, Bytes(9, 1));
  second.runs[1].last_duration = 941;
  must(first.append_to(*file));
  must(second.append_to(*file));
  file = reopen_recording(files, kPath);
  must(file->finish());
  auto track = Mp4Parser(files.read(kPath)).tracks().at(2);
  assert_int_equal(file->timescale(TrackKind::kAudio), 44100);
  assert_int_equal(file->config(TrackKind::kAudio)->source.sample_rate, 48000);
  assert_int_equal(track.timescale, 44100);
  assert_int_equal(track.entries.size(), 2);
  assert_int_equal(track.samples[0].entry, 1);
  assert_int_equal(track.samples[1].entry, 2);
  assert_int_equal(track.samples[1].duration, 941);
}

void mp3_is_described_without_a_decoder_configuration(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  OwnedFragment first;
  first.mark = begin_mark(1);
  first.config[1] = audio_config(44100);
  first.config[1]->codec = media::Codec::kMp3;
  first.config[1]->record.clear();
  first.add(TrackKind::kAudio, 0, 0, true, Bytes(9, 1));
  first.runs[1].last_duration = 1152;
  must(first.append_to(*file));
  const std::string entry = Mp4Parser(files.read(kPath)).tracks().at(2).entries.at(0);
  const auto config = entry.find(std::string("\x04\x80\x80\x80\x0D\x6B\x15", 7));
  assert_true(entry.find("esds") != std::string::npos);
  assert_true(config != std::string::npos);
}

void what_cannot_be_is_refused_and_changes_nothing(void**) {
  MemFileSystem files;
  auto life = eventful_life(2);
  auto file = create_recording(files, kPath);
  OwnedFragment no_mark = life[0];
  no_mark.mark.reset();
  OwnedFragment no_config = life[0];
  no_config.config[0].reset();
  const Status without_mark = no_mark.append_to(*file), without_config = no_config.append_to(*file);
  const Bytes empty = files.read(kPath);
  must(life[0].append_to(*file));
  const Bytes one = files.read(kPath);
  const Status again = life[0].append_to(*file);  // dts does not rise
  OwnedFragment wrong_size = life[1];
  wrong_size.runs[0].samples[3].size += 1;
  OwnedFragment codec = life[1];
  codec.config[0] = video_config(3);
  codec.config[0]->codec = media::Codec::kAac;
  const Status size = wrong_size.append_to(*file), other_codec = codec.append_to(*file);
  const Bytes after = files.read(kPath);
  must(life[1].append_to(*file));
  assert_false(static_cast<bool>(without_mark));
  assert_false(static_cast<bool>(without_config));
  assert_true(empty.empty());
  assert_false(static_cast<bool>(again));
  assert_false(static_cast<bool>(size));
  assert_false(static_cast<bool>(other_codec));
  assert_true(after == one);
  assert_true(has_samples(files.read(kPath), expected_samples(life, 2)));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_growing_file_has_every_fragment_at_once),
      cmocka_unit_test(a_finished_file_is_a_regular_mp4_with_the_same_samples),
      cmocka_unit_test(sound_stands_in_front_of_a_seam),
      cmocka_unit_test(what_is_missing_ends_with_the_first_sample),
      cmocka_unit_test(edit_lists_start_each_track_at_its_first_pts),
      cmocka_unit_test(a_track_that_begins_at_zero_has_no_edit_list),
      cmocka_unit_test(a_later_track_changes_the_head_and_moves_nothing),
      cmocka_unit_test(a_later_track_is_durable_before_its_first_fragment),
      cmocka_unit_test(coming_back_after_every_fragment_changes_no_byte),
      cmocka_unit_test(indexes_cost_no_more_than_they_may),
      cmocka_unit_test(durations_between_fragments_are_exact),
      cmocka_unit_test(times_beyond_32_bits_are_kept),
      cmocka_unit_test(a_change_keeps_the_timescale_of_the_track),
      cmocka_unit_test(mp3_is_described_without_a_decoder_configuration),
      cmocka_unit_test(what_cannot_be_is_refused_and_changes_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
