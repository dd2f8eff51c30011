// recording-launcher [-m] PROGRAM [ARGUMENT…]
//
// Stands between an nginx worker and a program that it runs. nginx reaps every child with
// waitpid(-1) and alarms its operator when one was killed; so it gets this one, which exits 0, says
// how the program ended, and sees to it that neither the program nor what that started outlives the
// worker, whatever ends it.
//
// Descriptors: 0, 1 and 2 are the program's. On 1 it adds a line of its own when the program has
// ended: "launcher=exited N", "launcher=signal N" or "launcher=failed ERRNO" (it cannot be run).
// 3 is a pipe that nobody writes to. Its end, when the worker closes it or dies, is the order to
// end the program: SIGTERM, and SIGKILL after 5 s. A signal sent by the worker could hit another
// process, for the number of one that was reaped is free again. With -m, 4 is the program's as
// well.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace {

constexpr int kReports = 1, kLifeline = 3, kMedia = 4;
constexpr std::int64_t kPatienceMs = 5000;

std::int64_t now_ms() {
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

// In front of it an empty line: the program may have died in the middle of one.
void report(const char* how, int number) { ::dprintf(kReports, "\nlauncher=%s %d\n", how, number); }

// In the program's process, which ends with the launcher even if that is killed.
[[noreturn]] void become_program(char** command, pid_t launcher) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launcher) {
    ::_exit(127);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::close(kLifeline);
  ::execvp(command[0], command);
  report("failed", errno);
  ::_exit(127);
}

class Launcher {
 public:
  Launcher(pid_t program, int signals) : program_(program), signals_(signals) {}

  // Until the program has ended; it is not reaped yet, so its number is still its own.
  void wait_for_end() {
    struct pollfd watched[] = {{signals_, POLLIN, 0}, {kLifeline, POLLIN, 0}};
    while (!has_ended()) {
      ::poll(watched, 2, timeout_ms());
      if (watched[1].revents != 0) {
        watched[1].fd = -1;
        end();
      }
      struct signalfd_siginfo signal = {};
      while (::read(signals_, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo != SIGCHLD) {
          end();
        }
      }
      if (kill_at_ms_ != 0 && now_ms() >= kill_at_ms_) {
        ::kill(-program_, SIGKILL);
        kill_at_ms_ = 0;
      }
    }
  }

 private:
  [[nodiscard]] bool has_ended() const {
    siginfo_t info = {};
    return ::waitid(P_PID, static_cast<id_t>(program_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == program_;
  }

  [[nodiscard]] int timeout_ms() const {
    if (kill_at_ms_ == 0) {
      return -1;
    }
    const std::int64_t left = kill_at_ms_ - now_ms();
    return left > 0 ? static_cast<int>(left) : 0;
  }

  void end() {
    if (ending_) {
      return;
    }
    ending_ = true;
    kill_at_ms_ = now_ms() + kPatienceMs;
    ::kill(-program_, SIGTERM);
    ::kill(-program_, SIGCONT);  // one that was stopped takes the signal only then
  }

  pid_t program_;
  int signals_;
  bool ending_ = false;
  std::int64_t kill_at_ms_ = 0;  // 0: not to be killed, or killed
};

// The program and all that it started; says how it ended.
void finish(pid_t program) {
  ::kill(-program, SIGKILL);
  int status = 0;
  while (::waitpid(program, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    report("signal", WTERMSIG(status));
  } else {
    report("exited", WEXITSTATUS(status));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool has_media = argc > 1 && ::strcmp(argv[1], "-m") == 0;
  char** const command = argv + (has_media ? 2 : 1);
  if (command >= argv + argc || ::fcntl(kLifeline, F_GETFD) < 0) {
    ::dprintf(2, "recording-launcher is started by nginx only\n");
    return 2;
  }
  // A worker that died before this is seen by the end of the lifeline.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::close_range((has_media ? kMedia : kLifeline) + 1, ~0U, 0);
  for (int number = 1; number < NSIG; ++number) {
    ::signal(number, SIG_DFL);
  }
  sigset_t handled;
  ::sigemptyset(&handled);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    ::sigaddset(&handled, number);
  }
  ::sigprocmask(SIG_SETMASK, &handled, nullptr);
  const int signals = ::signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);

  const pid_t launcher = ::getpid();
  const pid_t program = ::fork();
  if (program == 0) {
    become_program(command, launcher);
  }
  ::signal(SIGPIPE, SIG_IGN);  // nobody may be left to hear a report
  if (program < 0) {
    report("failed", errno);
    return 0;
  }
  ::setpgid(program, program);  // whichever of us comes first
  // The worker sees a program that no longer reads, or writes, by the end of these.
  ::close(0);
  ::close(2);
  if (has_media) {
    ::close(kMedia);
  }
  Launcher(program, signals).wait_for_end();
  finish(program);
  return 0;
}
