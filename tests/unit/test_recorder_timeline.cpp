#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "recorder/timeline.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::Timeline;

constexpr std::int64_t kWall = 1'700'000'000'000;
const std::string kPath = "source.mp4";

// One line for each thing that a timeline says.
std::string text_of(const Timeline& timeline) {
  std::string text = "duration " + std::to_string(timeline.duration_ms) + "\n";
  const auto times = [](std::int64_t from, std::int64_t to) {
    return std::to_string(from) + "-" + std::to_string(to);
  };
  for (const auto& epoch : timeline.epochs) {
    text +=
        "epoch " + std::to_string(epoch.index) + " " + times(epoch.start_ms, epoch.end_ms) +
        (epoch.video ? " video " + std::to_string(std::lround(epoch.frame_rate_measured)) : "") +
        (epoch.audio ? " audio" : "") + "\n";
  }
  for (const auto& change : timeline.changes) {
    const auto value = [](const media::ParameterValue& v) {
      const auto* number = std::get_if<std::int64_t>(&v);
      return number != nullptr ? std::to_string(*number) : std::string("?");
    };
    text += "change " + std::to_string(change.at_ms) + " " + change.field + " " +
            value(change.from) + ">" + value(change.to) + "\n";
  }
  for (const auto& seam : timeline.interruptions) {
    text += "interruption " + std::to_string(seam.at_ms) + " " +
            times(seam.began_wall_ms, seam.ended_wall_ms) + " " + std::to_string(seam.lost_ms) +
            " " + seam.reason + "\n";
  }
  for (const auto& repair : timeline.timestamp_repairs) {
    text += "repair " + std::to_string(repair.at_ms) + " " +
            std::string(media::name_of(repair.kind)) + " " + std::to_string(repair.count) + " " +
            std::to_string(repair.from_ms) + ">" + std::to_string(repair.to_ms) + "\n";
  }
  for (const auto& stretch : timeline.stretches) {
    text += "stretch " + times(stretch.start_ms, stretch.end_ms) + " " +
            std::to_string(stretch.started_wall_ms) + "\n";
  }
  return text;
}

struct Told {
  std::string growing, finished;
  bool uniform = false;
};

// What is told of a file with these fragments.
Told told_of(std::vector<OwnedFragment>& life) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  for (OwnedFragment& fragment : life) {
    must(fragment.append_to(*file));
  }
  Told told;
  auto now = must(files.open_for_read(kPath));
  told.growing = text_of(must(recorder::read_timeline(*now, file->length())));
  must(file->finish());
  const Timeline whole = must(recorder::read_timeline(*now, 0));
  told.finished = text_of(whole);
  told.uniform = whole.uniform();
  return told;
}

std::vector<OwnedFragment> seconds_of(FragmentMaker& maker, int seconds) {
  std::vector<OwnedFragment> life;
  for (int i = 0; i < seconds; ++i) {
    life.push_back(maker.next());
  }
  return life;
}

std::vector<OwnedFragment> plain_life(FragmentMaker& maker, int seconds) {
  auto life = seconds_of(maker, seconds);
  life[0].mark = begin_mark(1);
  life[0].config[0] = video_config();
  life[0].config[1] = audio_config();
  return life;
}

void nothing_happens(void**) {
  FragmentMaker maker;
  auto life = plain_life(maker, 130);  // more than one index box
  const Told told = told_of(life);
  assert_string_equal(told.growing.c_str(),
                      "duration 130005\nepoch 0 0-130005 video 30 audio\nstretch 0-130005 0\n");
  assert_string_equal(told.finished.c_str(), told.growing.c_str());
  assert_true(told.uniform);
}

void a_track_that_comes_late_is_no_change(void**) {
  FragmentMaker maker;
  std::vector<OwnedFragment> life;
  for (int i = 0; i < 4; ++i) {
    life.push_back(maker.next(true, i >= 2));
  }
  life[0].mark = begin_mark(1);
  life[0].config[0] = video_config();
  life[2].config[1] = audio_config();
  const Told told = told_of(life);
  assert_string_equal(told.finished.c_str(),
                      "duration 4010\nepoch 0 0-2000 video 30\nepoch 1 2000-4010 video 30 audio\n"
                      "stretch 0-4010 0\n");
  assert_string_equal(told.growing.c_str(), told.finished.c_str());
  assert_true(told.uniform);
}

void a_change_names_its_fields(void**) {
  FragmentMaker maker;
  auto life = plain_life(maker, 6);
  life[2].config[0] = video_config(1, 480);
  life[2].config[0]->record.push_back(7);
  life[4].config[0] = video_config();
  const Told told = told_of(life);
  assert_string_equal(told.finished.c_str(),
                      "duration 6016\nepoch 0 0-2000 video 30 audio\n"
                      "epoch 1 2000-4000 video 30 audio\nepoch 2 4000-6016 video 30 audio\n"
                      "change 2000 video.width 640>480\nchange 4000 video.width 480>640\n"
                      "stretch 0-6016 0\n");
  assert_string_equal(told.growing.c_str(), told.finished.c_str());
  assert_false(told.uniform);
}

void other_bytes_that_say_the_same_are_no_change(void**) {
  FragmentMaker maker;
  auto life = plain_life(maker, 4);
  life[2].config[0] = video_config();
  life[2].config[0]->record.push_back(7);
  const Told told = told_of(life);
  assert_null(std::strstr(told.finished.c_str(), "epoch 1"));
  assert_true(told.uniform);
}

// `skipped` seconds of the file's time are without media.
std::vector<OwnedFragment> interrupted_life(const mp4::Mark& mark, int skipped) {
  FragmentMaker maker;
  auto life = plain_life(maker, 3);
  for (int i = 0; i < skipped; ++i) {
    (void)maker.next();
  }
  for (OwnedFragment& fragment : seconds_of(maker, 2)) {
    life.push_back(std::move(fragment));
  }
  life[3].mark = mark;
  return life;
}

mp4::Mark interruption() {
  mp4::Mark mark = begin_mark(2);
  mark.began_wall_ms = kWall + 3000;
  mark.ended_wall_ms = kWall + 23000;
  mark.lost_ms = 20000;
  mark.reason = "connection";
  return mark;
}

void an_interruption_divides_the_times(void**) {
  auto life = interrupted_life(interruption(), 0);
  const Told told = told_of(life);
  assert_string_equal(told.finished.c_str(),
                      "duration 5013\nepoch 0 0-5013 video 30 audio\n"
                      "interruption 3008 1700000003000-1700000023000 20000 connection\n"
                      "stretch 0-3008 0\nstretch 3000-5013 1700000023000\n");
  assert_string_equal(told.growing.c_str(), told.finished.c_str());
  assert_true(told.uniform);
}

// recording_gap keep: the time is in the video, but nothing was recorded in it.
void a_gap_that_is_kept_is_not_recorded_time(void**) {
  auto life = interrupted_life(interruption(), 20);
  const Told told = told_of(life);
  assert_string_equal(told.finished.c_str(),
                      "duration 25002\nepoch 0 0-25002 video 30 audio\n"
                      "interruption 3008 1700000003000-1700000023000 20000 connection\n"
                      "stretch 0-3008 0\nstretch 23000-25002 1700000023000\n");
  assert_string_equal(told.growing.c_str(), told.finished.c_str());
}

void what_was_dropped_is_an_interruption_too(void**) {
  mp4::Mark mark = begin_mark(1);
  mark.kind = mp4::MarkKind::kOverload;
  mark.reason = "overload";
  auto unmeasured = interrupted_life(mark, 2);
  mark.lost_ms = 1900;
  auto measured = interrupted_life(mark, 2);
  const std::string a = told_of(unmeasured).finished, b = told_of(measured).finished;
  assert_non_null(std::strstr(a.c_str(), "interruption 3008 0-0 1992 overload\n"));
  assert_non_null(std::strstr(b.c_str(), "interruption 3008 0-0 1900 overload\n"));
  assert_non_null(std::strstr(b.c_str(), "stretch 0-3008 0\nstretch 5000-7018 0\n"));
}

void repairs_are_listed(void**) {
  FragmentMaker maker;
  auto life = plain_life(maker, 3);
  life[1].repairs = {repair_at(1200, media::RepairKind::kReset),
                     repair_at(1400, media::RepairKind::kRepeated, 5)};
  life[2].repairs = {repair_at(2400, media::RepairKind::kRepeated, 2)};
  const Told told = told_of(life);
  assert_string_equal(told.finished.c_str(),
                      "duration 3008\nepoch 0 0-3008 video 30 audio\n"
                      "repair 1200 reset 1 1000>1200\nrepair 1400 repeated 5 1000>1400\n"
                      "repair 2400 repeated 2 1000>2400\nstretch 0-3008 0\n");
  assert_string_equal(told.growing.c_str(), told.finished.c_str());
  assert_true(told.uniform);
}

// An encoder that needs one in every fragment, for hours.
void many_repairs_are_counted(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  FragmentMaker maker(false, 2);
  for (int i = 0; i < 1200; ++i) {
    OwnedFragment fragment = maker.next(true, false);
    if (i == 0) {
      fragment.mark = begin_mark(1);
      fragment.config[0] = video_config();
    }
    fragment.repairs = {repair_at(
        i * 1000, i % 2 == 0 ? media::RepairKind::kRepeated : media::RepairKind::kBackward)};
    must(fragment.append_to(*file));
  }
  auto now = must(files.open_for_read(kPath));
  const Timeline timeline = must(recorder::read_timeline(*now, file->length()));
  const auto& all = timeline.timestamp_repairs;
  assert_int_equal(all.size(), Timeline::kMostRepairs);
  std::uint32_t count = 0;
  for (const auto& repair : all) {
    count += repair.count;
  }
  assert_int_equal(count, 1200);
  assert_int_equal(all.back().count, 101);
}

void nothing_saved_yet(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  auto now = must(files.open_for_read(kPath));
  const auto empty = recorder::read_timeline(*now, 0);
  FragmentMaker maker;
  auto life = plain_life(maker, 2);
  must(life[0].append_to(*file));
  const std::uint64_t first = file->length();
  must(life[1].append_to(*file));
  auto uncommitted = recorder::read_timeline(*now, 0);
  auto early = recorder::read_timeline(*now, first);
  assert_true(!empty && !uncommitted);
  assert_true(uncommitted.error().code == Errc::kNotFound);
  assert_true(bool(early));
  assert_int_equal(early.value().duration_ms, 1002);
}

void a_damaged_file_is_an_error(void**) {
  MemFileSystem files;
  FragmentMaker maker;
  auto life = plain_life(maker, 3);
  auto file = create_recording(files, kPath);
  for (OwnedFragment& fragment : life) {
    must(fragment.append_to(*file));
  }
  Bytes bytes = files.read(kPath);
  const std::string as_text(bytes.begin(), bytes.end());
  bytes[as_text.find("moof", as_text.find("moof") + 4) + 30] ^= 0xff;
  files.put("bad.mp4", bytes);
  auto bad = must(files.open_for_read("bad.mp4"));
  auto result = recorder::read_timeline(*bad, file->length());
  assert_false(bool(result));
  assert_true(result.error().code == Errc::kCorrupt);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(nothing_happens),
    cmocka_unit_test(a_track_that_comes_late_is_no_change),
    cmocka_unit_test(a_change_names_its_fields),
    cmocka_unit_test(other_bytes_that_say_the_same_are_no_change),
    cmocka_unit_test(an_interruption_divides_the_times),
    cmocka_unit_test(a_gap_that_is_kept_is_not_recorded_time),
    cmocka_unit_test(what_was_dropped_is_an_interruption_too),
    cmocka_unit_test(repairs_are_listed),
    cmocka_unit_test(many_repairs_are_counted),
    cmocka_unit_test(nothing_saved_yet),
    cmocka_unit_test(a_damaged_file_is_an_error),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
