// A program that runs, as a session hears of it.
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "support/poll_loop.hpp"
#include "transcode/program.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using transcode::Program;
using transcode::ProgramEnd;

struct Heard {
  std::vector<std::string> lines;
  std::size_t line_count = 0;
  std::int64_t media_us = 0;
  int rounds = 0, writable = 0;
  std::string made;
  std::unique_ptr<Program> program;
  bool ended = false;
  ProgramEnd end;
};

void start(test::PollLoop& loop, Heard& heard, const std::string& script, bool is_tapped = false) {
  Program::Handlers handlers = {[&heard] { ++heard.writable; },
                                [&heard](const transcode::ProgramReport& report) {
                                  ++heard.rounds;
                                  heard.media_us = report.media_us;
                                },
                                [&heard](std::string_view line) {
                                  ++heard.line_count;
                                  if (heard.lines.size() < 100) {
                                    heard.lines.emplace_back(line);
                                  }
                                },
                                [&heard](const ProgramEnd& end) {
                                  heard.ended = true;
                                  heard.end = end;
                                  heard.program.reset();
                                }};
  if (is_tapped) {
    handlers.made = [&heard](ByteView piece) { heard.made.append(piece.begin(), piece.end()); };
  }
  auto started = Program::start(loop, RECORDING_LAUNCHER, {"/bin/sh", "-c", script}, handlers);
  assert_true(static_cast<bool>(started));
  heard.program = std::move(started).value();
}

void its_progress_its_words_and_its_end_are_heard(void**) {
  test::PollLoop loop;
  Heard heard;
  start(loop, heard,
        "read line; echo out_time_us=40000; echo progress=continue; echo \"$line\" >&2;"
        "printf 'its last words' >&2; echo >&2; exit 3");
  assert_true(loop.run_until([&] { return heard.writable > 0; }));
  assert_int_equal(::write(heard.program->input(), "hello\n", 6), 6);
  heard.program->close_input();
  assert_int_equal(heard.program->input(), -1);
  assert_true(loop.run_until([&] { return heard.ended; }));
  assert_int_equal(heard.rounds, 1);
  assert_int_equal(heard.media_us, 40000);
  assert_true((heard.lines == std::vector<std::string>{"hello", "its last words"}));
  assert_true(heard.end.how == ProgramEnd::How::kExited && heard.end.number == 3);
  assert_int_equal(loop.watching(), 0);
}

// All that it has written is there before it is told that it has ended; whoever does not ask for
// it gets no such descriptor.
void what_it_makes_is_heard_to_the_end(void**) {
  for (const bool is_tapped : {true, false}) {
    test::PollLoop loop;
    Heard heard;
    start(loop, heard, "head -c 300000 /dev/zero >&4 && echo the end >&4; exit 0", is_tapped);
    assert_true(loop.run_until([&] { return heard.ended; }));
    assert_true(heard.end.clean());
    assert_int_equal(heard.made.size(), is_tapped ? 300008 : 0);
    assert_true(heard.made.ends_with("the end\n") == is_tapped);
    assert_int_equal(loop.watching(), 0);
  }
}

void one_that_is_told_to_end_ends(void**) {
  test::PollLoop loop;
  Heard heard;
  start(loop, heard, "echo ready >&2; exec sleep 600");
  assert_true(loop.run_until([&] { return !heard.lines.empty(); }));
  heard.program->end();
  assert_true(loop.run_until([&] { return heard.ended; }));
  assert_true(heard.end.how == ProgramEnd::How::kSignal && heard.end.number == SIGTERM);
}

// The event loop has other things to do, and hears of the end all the same.
void one_that_never_stops_writing_holds_up_nobody(void**) {
  test::PollLoop loop;
  Heard heard;
  start(loop, heard, "yes this >&2");
  int turns = 0;
  assert_true(
      loop.run_until([&] { return turns >= 200 && heard.line_count > 10000; }, [&] { ++turns; }));
  heard.program->end();
  assert_true(loop.run_until([&] { return heard.ended; }));
  assert_true(heard.end.how == ProgramEnd::How::kSignal);
}

void it_goes_with_its_object(void**) {
  test::PollLoop loop;
  Heard heard;
  start(loop, heard, "echo pid=$$ >&2; exec sleep 600");
  assert_true(loop.run_until([&] { return !heard.lines.empty(); }));
  const pid_t pid = static_cast<pid_t>(std::stoi(heard.lines[0].substr(4)));
  heard.program.reset();
  assert_int_equal(loop.watching(), 0);
  assert_true(loop.run_until([&] { return ::kill(pid, 0) != 0; }));
  assert_false(heard.ended);
}

}  // namespace

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  const CMUnitTest tests[] = {
      cmocka_unit_test(its_progress_its_words_and_its_end_are_heard),
      cmocka_unit_test(what_it_makes_is_heard_to_the_end),
      cmocka_unit_test(one_that_is_told_to_end_ends),
      cmocka_unit_test(one_that_never_stops_writing_holds_up_nobody),
      cmocka_unit_test(it_goes_with_its_object),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
