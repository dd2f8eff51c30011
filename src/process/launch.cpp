#include "process/launch.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace recording::process {
namespace {

// More than most systems allow is refused, and the default is enough then, too.
constexpr int kMediaPipeSize = 1 << 20;
// Descriptors of the child; see src/launcher/main.cpp.
constexpr int kStdin = 0, kStdout = 1, kStderr = 2, kLifeline = 3, kLast = kMediaDescriptor;

Error error_of(const char* what, int number) {
  return {Errc::kUnavailable, std::string(what) + ": " + std::strerror(number), number};
}

struct Pipe {
  UniqueFd read, write;
};

// Neither end has a number that the child's own descriptors get, so their order does not matter.
Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return error_of("pipe", errno);
  }
  Pipe made{UniqueFd(ends[0]), UniqueFd(ends[1])};
  for (UniqueFd* end : {&made.read, &made.write}) {
    if (end->get() <= kLast) {
      UniqueFd moved(::fcntl(end->get(), F_DUPFD_CLOEXEC, kLast + 1));
      if (!moved.valid()) {
        return error_of("fcntl", errno);
      }
      *end = std::move(moved);
    }
  }
  return made;
}

void make_non_blocking(const UniqueFd& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// What posix_spawn wants prepared, and freed.
class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setpgroup(&attributes_, 0);  // the terminal's Ctrl-C is for nginx alone
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void give(const UniqueFd& fd, int as) {
    ::posix_spawn_file_actions_adddup2(&actions_, fd.get(), as);
  }
  // An errno, or 0.
  int spawn(const std::string& program, std::vector<char*>& arguments) {
    pid_t pid = 0;
    return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

Result<LaunchedProgram> launch(const std::string& launcher, const std::vector<std::string>& command,
                               Media media) {
  const bool has_media = media == Media::kPiped;
  std::vector<Pipe> pipes(has_media ? kLast + 1 : kLast);  // by the child's descriptor
  for (Pipe& pipe : pipes) {
    auto made = make_pipe();
    if (!made) {
      return std::move(made).error();
    }
    pipe = std::move(made).value();
  }
  std::vector<char*> arguments{const_cast<char*>(launcher.c_str())};
  if (has_media) {
    arguments.push_back(const_cast<char*>("-m"));
  }
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  SpawnSetup setup;
  setup.give(pipes[kStdin].read, kStdin);
  setup.give(pipes[kStdout].write, kStdout);
  setup.give(pipes[kStderr].write, kStderr);
  setup.give(pipes[kLifeline].read, kLifeline);
  if (has_media) {
    setup.give(pipes[kMediaDescriptor].write, kMediaDescriptor);
  }
  // Like vfork(2): what nginx has mapped costs nothing.
  if (const int fault = setup.spawn(launcher, arguments); fault != 0) {
    return error_of(launcher.c_str(), fault);
  }
  LaunchedProgram program{std::move(pipes[kStdin].write), std::move(pipes[kStdout].read),
                          std::move(pipes[kStderr].read), UniqueFd(),
                          std::move(pipes[kLifeline].write)};
  if (has_media) {
    program.media = std::move(pipes[kMediaDescriptor].read);
    make_non_blocking(program.media);
    ::fcntl(program.media.get(), F_SETPIPE_SZ, kMediaPipeSize);
  }
  for (const UniqueFd* fd : {&program.input, &program.output, &program.errors}) {
    make_non_blocking(*fd);
  }
  ::fcntl(program.input.get(), F_SETPIPE_SZ, kMediaPipeSize);
  return program;
}

}  // namespace recording::process
