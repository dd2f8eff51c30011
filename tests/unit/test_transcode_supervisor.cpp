// When the transcoding program is started, started again, ended and given up.
#include <string>
#include <vector>

#include "transcode/lines.hpp"
#include "transcode/program_report.hpp"
#include "transcode/supervisor.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording::transcode;
using Act = Supervisor::Act;
using How = ProgramEnd::How;

constexpr ProgramEnd kKilled{How::kSignal, 9};

// One second after the other until it is to be started; how many that took.
int seconds_until_start(Supervisor& supervisor, std::int64_t& now) {
  for (int seconds = 0; seconds < 100; ++seconds, now += 1000) {
    if (supervisor.next(now) == Act::kStart) {
      return seconds;
    }
  }
  return -1;
}

void it_is_started_when_the_source_is_known(void**) {
  Supervisor supervisor(10);
  assert_true(supervisor.state() == TranscoderState::kProbing);
  assert_true(supervisor.next(0) == Act::kNothing);
  supervisor.begin(5);
  assert_true(supervisor.next(5) == Act::kStart);
  supervisor.started(5);
  assert_true(supervisor.state() == TranscoderState::kStarting);
  assert_false(supervisor.progressed(10, 0));
  assert_true(supervisor.progressed(20, 40000));
  assert_true(supervisor.state() == TranscoderState::kRunning);
  assert_false(supervisor.progressed(30, 80000));
  assert_int_equal(supervisor.restarts(), 0);
}

void it_is_started_again_later_each_time_and_given_up(void**) {
  Supervisor supervisor(7);
  std::int64_t now = 0;
  supervisor.begin(now);
  std::vector<int> waits;
  for (int i = 0; i < 8; ++i) {
    waits.push_back(seconds_until_start(supervisor, now));
    supervisor.started(now);
    supervisor.ended(now, kKilled, "it was killed");
  }
  const std::vector<int> expected = {0, 1, 2, 4, 8, 16, 30, 30};
  assert_true(waits == expected);
  assert_int_equal(supervisor.restarts(), 7);
  assert_true(supervisor.state() == TranscoderState::kFailed && supervisor.over());
  assert_string_equal(supervisor.error().c_str(), "it was killed");
  assert_int_equal(seconds_until_start(supervisor, now), -1);
}

void one_that_ran_well_is_back_soon(void**) {
  Supervisor supervisor(100);
  std::int64_t now = 0;
  supervisor.begin(now);
  for (int i = 0; i < 5; ++i) {
    (void)seconds_until_start(supervisor, now);
    supervisor.started(now);
    (void)supervisor.progressed(now, 1000);
    supervisor.ended(now, kKilled, "");
  }
  assert_int_equal(seconds_until_start(supervisor, now), 16);
  supervisor.started(now);
  (void)supervisor.progressed(now, 1000);
  assert_true(supervisor.error().empty());
  now += 61000;
  supervisor.ended(now, kKilled, "");
  assert_int_equal(seconds_until_start(supervisor, now), 1);
}

void what_cannot_be_run_is_not_tried_again(void**) {
  Supervisor supervisor(10);
  supervisor.begin(0);
  assert_true(supervisor.next(0) == Act::kStart);
  supervisor.started(0);
  supervisor.ended(1, {How::kFailed, 2}, "ffmpeg cannot be run");
  assert_true(supervisor.state() == TranscoderState::kFailed);
  assert_int_equal(supervisor.restarts(), 0);
}

void one_that_takes_media_and_makes_nothing_is_ended_once(void**) {
  Supervisor supervisor(10);
  supervisor.begin(0);
  (void)supervisor.next(0);
  supervisor.started(0);
  (void)supervisor.progressed(0, 1000);
  std::int64_t now = 0;
  for (; now < 10000; now += 500) {
    supervisor.offered(now);
    assert_true(supervisor.next(now) == Act::kNothing);
  }
  supervisor.offered(now);
  assert_true(supervisor.next(now) == Act::kEnd);
  assert_true(supervisor.next(now + 500) == Act::kNothing);
  supervisor.ended(now + 600, kKilled, "");
  assert_true(supervisor.state() == TranscoderState::kRestarting);
}

void a_publisher_that_pauses_is_no_hang(void**) {
  Supervisor supervisor(10);
  supervisor.begin(0);
  (void)supervisor.next(0);
  supervisor.started(0);
  (void)supervisor.progressed(0, 1000);
  supervisor.offered(100);
  for (std::int64_t now = 100; now < 60000; now += 1000) {
    assert_true(supervisor.next(now) == Act::kNothing);
  }
  supervisor.offered(60000);
  assert_true(supervisor.next(60000) == Act::kNothing);
}

void the_end_of_a_stream_is_waited_for_but_not_for_ever(void**) {
  Supervisor supervisor(10);
  supervisor.begin(0);
  (void)supervisor.next(0);
  supervisor.started(0);
  (void)supervisor.progressed(0, 1000);
  supervisor.finish(1000);
  assert_true(supervisor.finishing() && !supervisor.over());
  assert_true(supervisor.next(9000) == Act::kNothing);
  (void)supervisor.progressed(9000, 2000);  // it goes on with what it got
  assert_true(supervisor.next(15000) == Act::kNothing);
  assert_true(supervisor.next(19000) == Act::kEnd);
  supervisor.ended(19100, {How::kExited, 255}, "");
  assert_true(supervisor.state() == TranscoderState::kEnded && supervisor.over());
  assert_true(supervisor.next(60000) == Act::kNothing);

  Supervisor slow(10);
  slow.begin(0);
  (void)slow.next(0);
  slow.started(0);
  slow.finish(1000);
  std::int64_t now = 1000;
  while (now < 31000) {
    (void)slow.progressed(now, now * 300);
    assert_true(slow.next(now) == Act::kNothing);
    now += 1000;
  }
  assert_true(slow.next(now) == Act::kEnd);
}

void another_program_takes_its_place_at_once_and_that_is_no_restart(void**) {
  Supervisor supervisor(0);
  supervisor.begin(0);
  (void)supervisor.next(0);
  supervisor.started(0);
  (void)supervisor.progressed(0, 1000);
  supervisor.renew(1000);
  assert_true(supervisor.next(5000) == Act::kNothing);
  supervisor.ended(5100, {How::kExited, 0}, "it did what it was told");
  assert_true(supervisor.next(5100) == Act::kStart);
  supervisor.started(5100);
  assert_true(supervisor.error().empty());
  assert_int_equal(supervisor.restarts(), 0);
  supervisor.renew(6000);  // one that does not end
  assert_true(supervisor.next(15000) == Act::kNothing);
  assert_true(supervisor.next(16000) == Act::kEnd);
  supervisor.finish(16500);  // the publisher does not wait for it
  supervisor.ended(17000, kKilled, "");
  assert_true(supervisor.state() == TranscoderState::kEnded);
}

void refused_is_final(void**) {
  Supervisor supervisor(10);
  supervisor.refuse("this source has no pictures");
  supervisor.begin(0);
  assert_true(supervisor.next(0) == Act::kNothing);
  supervisor.finish(1);
  assert_true(supervisor.state() == TranscoderState::kRefused);
  assert_string_equal(supervisor.error().c_str(), "this source has no pictures");
}

void reports_are_read_however_they_are_cut(void**) {
  const std::string text =
      "frame=25\nfps=25.1\nout_time_us=1000000\nspeed=1.02x\nprogress=continue\n"
      "frame=50\nout_time_us=N/A\nspeed= N/A\nprogress=continue\nfra\nlauncher=signal 9\n";
  for (std::size_t piece = 1; piece < 20; ++piece) {
    Lines lines;
    ProgramReport report;
    int rounds = 0;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      lines.add(std::string_view(text).substr(at, piece),
                [&](std::string_view line) { rounds += report.take(line) ? 1 : 0; });
    }
    assert_int_equal(rounds, 2);
    assert_int_equal(report.frames, 50);
    assert_int_equal(report.media_us, 1000000);
    assert_true(report.speed > 1.01 && report.speed < 1.03);
    assert_true(report.end && report.end->how == How::kSignal && report.end->number == 9);
  }
  ProgramReport missing;
  (void)missing.take("launcher=failed 2");
  (void)missing.take("launcher=exited 127");
  assert_string_equal(describe(*missing.end, "ffmpeg").c_str(),
                      "ffmpeg cannot be run: No such file or directory");
}

void a_line_has_a_longest_length(void**) {
  Lines lines;
  std::vector<std::string> found;
  const auto keep = [&](std::string_view line) { found.emplace_back(line); };
  lines.add(std::string(100000, 'x'), keep);
  lines.add("\r\n\nshort\n", keep);
  assert_int_equal(found.size(), 2);
  assert_int_equal(found[0].size(), Lines::kLongest);
  assert_string_equal(found[1].c_str(), "short");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_is_started_when_the_source_is_known),
      cmocka_unit_test(it_is_started_again_later_each_time_and_given_up),
      cmocka_unit_test(one_that_ran_well_is_back_soon),
      cmocka_unit_test(what_cannot_be_run_is_not_tried_again),
      cmocka_unit_test(one_that_takes_media_and_makes_nothing_is_ended_once),
      cmocka_unit_test(a_publisher_that_pauses_is_no_hang),
      cmocka_unit_test(the_end_of_a_stream_is_waited_for_but_not_for_ever),
      cmocka_unit_test(another_program_takes_its_place_at_once_and_that_is_no_restart),
      cmocka_unit_test(refused_is_final),
      cmocka_unit_test(reports_are_read_however_they_are_cut),
      cmocka_unit_test(a_line_has_a_longest_length),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
