// A program behind recording-launcher: what it gets, what is told of its end, and that nothing of
// it is left when it or its holder ends.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "process/launch.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using process::LaunchedProgram;

constexpr int kPatienceMs = 20000;

LaunchedProgram launched(const std::vector<std::string>& command) {
  auto program = process::launch(RECORDING_LAUNCHER, command);
  assert_true(static_cast<bool>(program));
  return std::move(program).value();
}

LaunchedProgram shell(const std::string& script) { return launched({"/bin/sh", "-c", script}); }

// All that comes from `fd` until it contains `text`, or until its end.
std::string read_until(const UniqueFd& fd, const std::string& text) {
  std::string all;
  struct pollfd watched = {fd.get(), POLLIN, 0};
  while (text.empty() || all.find(text) == std::string::npos) {
    if (::poll(&watched, 1, kPatienceMs) <= 0) {
      fail_msg("nothing more came after \"%s\"", all.c_str());
    }
    char piece[512];
    const ssize_t size = ::read(fd.get(), piece, sizeof piece);
    if (size <= 0) {
      break;
    }
    all.append(piece, static_cast<std::size_t>(size));
  }
  return all;
}

std::string read_all(const UniqueFd& fd) { return read_until(fd, ""); }

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < kPatienceMs / 10; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

// Gone, or a zombie that its new parent has not buried yet.
bool is_gone(pid_t pid) {
  if (::kill(pid, 0) != 0) {
    return true;
  }
  FILE* stat = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "re");
  char state = 'Z';
  if (stat != nullptr) {
    (void)std::fscanf(stat, "%*d (%*[^)]) %c", &state);
    std::fclose(stat);
  }
  return state == 'Z';
}

// The number behind `word=` in `text`.
pid_t pid_in(const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word + "=");
  assert_true(at != std::string::npos);
  return static_cast<pid_t>(std::atoi(text.c_str() + at + word.size() + 1));
}

// As nginx does: every child, whoever asks.
void reap_all() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

void a_program_has_its_three_descriptors_and_no_others(void**) {
  LaunchedProgram program = shell("cat; echo to-errors >&2; ls /proc/self/fd | tr '\\n' ' '");
  assert_int_equal(::write(program.input.get(), "hello ", 6), 6);
  program.input.reset();
  const std::string output = read_all(program.output);
  // The fourth is ls's own, of the folder that it lists.
  assert_true(output.starts_with("hello 0 1 2 3 "));
  assert_true(output.find(" 4") == std::string::npos);
  assert_string_equal(read_all(program.errors).c_str(), "to-errors\n");
}

void how_it_ended_is_told(void**) {
  LaunchedProgram exits = shell("exit 3");
  assert_true(read_all(exits.output).ends_with("\nlauncher=exited 3\n"));
  LaunchedProgram killed = shell("printf half-a-line; kill -9 $$");
  assert_true(read_all(killed.output).ends_with("half-a-line\nlauncher=signal 9\n"));
  LaunchedProgram missing = launched({"/nowhere/ffmpeg"});
  assert_true(read_all(missing.output).find("\nlauncher=failed 2\n") != std::string::npos);
}

void the_launcher_itself_exits_0_whatever_happened(void**) {
  reap_all();
  LaunchedProgram program = shell("kill -9 $$");
  (void)read_all(program.output);
  int status = -1;
  assert_true(eventually([&] { return ::waitpid(-1, &status, WNOHANG) > 0; }));
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void the_end_of_the_lifeline_ends_all_that_it_started(void**) {
  LaunchedProgram program = shell("sleep 600 & echo child=$!; echo ready; wait");
  const pid_t child = pid_in(read_until(program.output, "ready"), "child");
  program.lifeline.reset();
  assert_true(read_all(program.output).find("launcher=signal 15") != std::string::npos);
  assert_true(eventually([&] { return is_gone(child); }));
}

void one_that_was_stopped_or_does_not_listen_ends_too(void**) {
  LaunchedProgram deaf = shell("trap '' TERM; echo ready; while :; do sleep 600; done");
  LaunchedProgram stopped = shell("echo ready; kill -STOP $$; sleep 600");
  (void)read_until(deaf.output, "ready");
  (void)read_until(stopped.output, "ready");
  stopped.lifeline.reset();
  assert_true(read_all(stopped.output).find("launcher=signal 15") != std::string::npos);
  deaf.lifeline.reset();
  assert_true(read_all(deaf.output).find("launcher=signal 9") != std::string::npos);
}

void nothing_outlives_a_killed_launcher_or_holder(void**) {
  const std::string script = "echo parent=$PPID self=$$; echo ready; while :; do sleep 1; done";
  LaunchedProgram program = shell(script);
  const std::string said = read_until(program.output, "ready");
  assert_int_equal(::kill(pid_in(said, "parent"), SIGKILL), 0);
  assert_true(eventually([&] { return is_gone(pid_in(said, "self")); }));

  int told[2];
  assert_int_equal(::pipe(told), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    auto held = process::launch(RECORDING_LAUNCHER, {"/bin/sh", "-c", script});
    const std::string words = held ? read_until(held.value().output, "ready") : "";
    (void)!::write(told[1], words.data(), words.size());
    ::pause();
    ::_exit(0);
  }
  const UniqueFd reads(told[0]);
  ::close(told[1]);
  const std::string words = read_until(reads, "ready");
  ::kill(holder, SIGKILL);
  assert_true(eventually([&] { return is_gone(pid_in(words, "self")); }));
  assert_true(eventually([&] { return is_gone(pid_in(words, "parent")); }));
  reap_all();
}

void a_missing_launcher_is_an_error(void**) {
  auto program = process::launch("/nowhere/recording-launcher", {"/bin/true"});
  assert_false(static_cast<bool>(program));
  assert_true(program.error().message.find("/nowhere/recording-launcher") != std::string::npos);
}

}  // namespace

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_program_has_its_three_descriptors_and_no_others),
      cmocka_unit_test(how_it_ended_is_told),
      cmocka_unit_test(the_launcher_itself_exits_0_whatever_happened),
      cmocka_unit_test(the_end_of_the_lifeline_ends_all_that_it_started),
      cmocka_unit_test(one_that_was_stopped_or_does_not_listen_ends_too),
      cmocka_unit_test(nothing_outlives_a_killed_launcher_or_holder),
      cmocka_unit_test(a_missing_launcher_is_an_error),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
