#pragma once

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

// What the tests of the runtime layer share: a directory on tmpfs, and processes to kill.
namespace recording::test {

inline std::vector<std::string> list(const std::string& directory, std::string_view prefix = "") {
  std::vector<std::string> names;
  if (DIR* listing = ::opendir(directory.c_str())) {
    while (const dirent* entry = ::readdir(listing)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != ".." && name.substr(0, prefix.size()) == prefix) {
        names.emplace_back(name);
      }
    }
    ::closedir(listing);
  }
  return names;
}

class TempDirectory {
 public:
  TempDirectory() {
    char name[] = "/dev/shm/recording-runtime-test.XXXXXX";
    path_ = ::mkdtemp(name) != nullptr ? name : "";
  }
  ~TempDirectory() {
    for (const std::string& name : list(path_)) {
      ::remove((path_ + "/" + name).c_str());
    }
    ::rmdir(path_.c_str());
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

// Runs `work` in a child, whose exit status is what it returns.
template <class Work>
pid_t spawn(Work work) {
  pid_t pid = ::fork();
  if (pid == 0) {
    ::_exit(work());
  }
  return pid;
}

// The exit status of a child, or minus the signal that ended it.
inline int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

[[noreturn]] inline void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) {
    ::pause();
  }
}

// A pipe over which one process tells another that it has come so far.
class Signal {
 public:
  Signal() { ok_ = ::pipe(ends_) == 0; }
  ~Signal() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  void raise() const { ok_ = ::write(ends_[1], "x", 1) == 1; }
  [[nodiscard]] bool wait() const {
    char byte = 0;
    return ok_ && ::read(ends_[0], &byte, 1) == 1;
  }

 private:
  int ends_[2] = {-1, -1};
  mutable bool ok_ = false;
};

// A child that does `work` one machine instruction at a time, until the parent has had enough.
class Stepper {
 public:
  // False: this process may not trace.
  template <class Work>
  bool start(Work work) {
    pid_ = spawn([&] {
      if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
        return 1;
      }
      ::raise(SIGSTOP);
      work();
      ::raise(SIGSTOP);
      return 0;
    });
    return stopped(SIGSTOP);
  }
  // False: the work is done.
  bool step() {
    return ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) == 0 && stopped(SIGTRAP);
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
  }

 private:
  bool stopped(int signal) const {
    int status = 0;
    return ::waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status) && WSTOPSIG(status) == signal;
  }
  pid_t pid_ = 0;
};

}  // namespace recording::test
