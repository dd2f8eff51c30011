// A program that hangs, wants nothing, says much or cannot be run: no test hangs with it.
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

#include "processing/ffmpeg_run.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::processing;

struct Ran {
  std::string output;
  Status read = ok();
  Status end = ok();
  std::string error;
};

Ran run(Tools tools, std::vector<std::string> arguments, std::size_t input = 0) {
  const NoBrokenPipes no_broken_pipes;
  tools.launcher = RECORDING_LAUNCHER;
  auto started =
      FfmpegRun::start(tools, std::move(arguments),
                       input == 0 ? nullptr : std::make_unique<MemorySource>(Bytes(input, 'x')));
  assert_true(static_cast<bool>(started));
  Ran ran;
  for (;;) {
    auto piece = started.value()->read();
    if (!piece) {
      ran.read = std::move(piece).error();
      break;
    }
    if (piece.value().empty()) {
      break;
    }
    ran.output.append(reinterpret_cast<const char*>(piece.value().data()), piece.value().size());
  }
  ran.end = started.value()->end();
  ran.error = started.value()->first_error();
  return ran;
}

Ran shell(const std::string& script, std::size_t input = 0, Tools tools = {}) {
  tools.ffmpeg = "sh";
  if (!tools.cancelled) {
    tools.cancelled = [] { return false; };
  }
  return run(std::move(tools), {"-c", script}, input);
}

void all_that_it_writes_and_nothing_else(void**) {
  for (const std::size_t size : {1UL, 63UL, 64UL, 65UL, 3'000'000UL}) {
    Ran ran = shell("cat", size);
    assert_true(ran.read && ran.end);
    assert_true(ran.output == std::string(size, 'x'));
  }
  assert_string_equal(shell("exit 0").output.c_str(), "");
}

void one_that_wants_no_more_is_no_error(void**) {
  Ran ran = shell("head -c 10", 5'000'000);
  assert_true(ran.read && ran.end);
  assert_int_equal(ran.output.size(), 10);
}

void what_went_wrong_is_told(void**) {
  Ran ran = shell("echo '[h264 @ 0x5581] Invalid NAL unit size' >&2; echo more >&2; exit 69");
  assert_string_equal(ran.error.c_str(), "[h264] Invalid NAL unit size");
  assert_true(ran.end.error().code == Errc::kCorrupt);
  assert_string_equal(ran.end.error().message.c_str(),
                      "[h264] Invalid NAL unit size (sh exited with status 69)");
  ran = shell("kill -9 $$");
  assert_true(ran.end.error().code == Errc::kUnavailable);
  ran = shell("kill -11 $$");
  assert_true(ran.end.error().code == Errc::kCorrupt);
  Tools absent;
  absent.ffmpeg = "/nowhere/ffmpeg";
  absent.cancelled = [] { return false; };
  ran = run(absent, {});
  assert_true(ran.end.error().code == Errc::kUnavailable);
  assert_string_equal(ran.end.error().message.c_str(),
                      "/nowhere/ffmpeg cannot be run: No such file or directory");
}

void one_that_hangs_is_given_up(void**) {
  Tools impatient;
  impatient.patience_ms = 300;
  Ran ran = shell("echo begun; exec sleep 1000", 5'000'000, impatient);
  assert_true(ran.read.error().code == Errc::kInternal);
  assert_string_equal(ran.read.error().message.c_str(), "ffmpeg did nothing for 0 s");
}

void one_that_is_cancelled(void**) {
  Tools tools;
  int asked = 0;
  tools.cancelled = [&asked] { return ++asked > 2; };
  Ran ran = shell("exec sleep 1000", 0, tools);
  assert_string_equal(ran.read.error().message.c_str(), "cancelled");
}

}  // namespace

int main() {
  std::signal(SIGCHLD, SIG_IGN);
  const CMUnitTest tests[] = {cmocka_unit_test(all_that_it_writes_and_nothing_else),
                              cmocka_unit_test(one_that_wants_no_more_is_no_error),
                              cmocka_unit_test(what_went_wrong_is_told),
                              cmocka_unit_test(one_that_hangs_is_given_up),
                              cmocka_unit_test(one_that_is_cancelled)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
