#include <fcntl.h>
#include <poll.h>

#include <string>
#include <utility>

#include "runtime/wakeup.hpp"
#include "test_runtime_support.hpp"
#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::runtime;
using test::TempDirectory;

constexpr int kLong = 10000;  // ms; only a test that fails waits for it

bool is_readable(const WakeupSocket& socket, int timeout_ms) {
  struct pollfd poll = {socket.fd(), POLLIN, 0};
  return ::poll(&poll, 1, timeout_ms) == 1 && (poll.revents & POLLIN) != 0;
}

std::string own_name() { return "w." + std::to_string(::getpid()); }

// A worker that polls, and exits with 0 when it was woken.
pid_t spawn_worker(const TempDirectory& directory, const test::Signal& ready) {
  return test::spawn([&] {
    auto socket = WakeupSocket::open(directory.path());
    if (!socket) {
      return 1;
    }
    ready.raise();
    if (!is_readable(socket.value(), kLong)) {
      return 2;
    }
    socket.value().drain();
    return is_readable(socket.value(), 0) ? 3 : 0;
  });
}

void test_wakes_another_process(void**) {
  TempDirectory directory;
  test::Signal ready;
  auto socket = WakeupSocket::open(directory.path());
  assert_true(bool(socket));
  pid_t pid = spawn_worker(directory, ready);
  bool came = ready.wait();
  socket.value().wake(pid);
  int result = test::wait_for(pid);
  assert_true(came);
  assert_int_equal(result, 0);
  assert_false(is_readable(socket.value(), 0));  // nobody else
}

void test_wakes_all(void**) {
  TempDirectory directory;
  test::Signal ready;
  auto socket = WakeupSocket::open(directory.path());
  pid_t pids[] = {spawn_worker(directory, ready), spawn_worker(directory, ready),
                  spawn_worker(directory, ready)};
  bool came = ready.wait() && ready.wait() && ready.wait();
  std::ofstream(directory.file("w.")) << "no socket";
  std::ofstream(directory.file("w.1x")) << "no socket";
  socket.value().wake_all();
  int failed = 0;
  for (pid_t pid : pids) {
    failed += test::wait_for(pid) != 0;
  }
  assert_true(came);
  assert_int_equal(failed, 0);
  assert_true(is_readable(socket.value(), 0));
  assert_int_equal(test::list(directory.path(), "w.").size(), 3);
}

void test_full_queue_is_a_wakeup_already(void**) {
  TempDirectory directory;
  auto socket = WakeupSocket::open(directory.path());
  for (int i = 0; i < 5000; ++i) {
    socket.value().wake(::getpid());  // never blocks
  }
  assert_true(is_readable(socket.value(), 0));
  socket.value().drain();
  assert_false(is_readable(socket.value(), 0));
  socket.value().wake(::getpid());
  assert_true(is_readable(socket.value(), 0));
}

void test_dead_worker_is_removed_and_a_stale_socket_replaced(void**) {
  TempDirectory directory;
  pid_t pid = test::spawn([&] {
    auto socket = WakeupSocket::open(directory.path());
    test::die();
    return 0;
  });
  test::wait_for(pid);
  std::string name = "w." + std::to_string(pid);
  assert_int_equal(test::list(directory.path(), name).size(), 1);
  auto socket = WakeupSocket::open(directory.path());
  socket.value().wake(pid);
  assert_int_equal(test::list(directory.path(), name).size(), 0);
  socket.value().wake(pid);
  socket.value().wake(0);
  socket.value().wake(-1);

  auto again = WakeupSocket::open(directory.path());  // as if our pid had been another's before
  assert_true(bool(again));
  again.value().wake(::getpid());
  assert_true(is_readable(again.value(), 0));
}

void test_path_goes_with_the_socket(void**) {
  TempDirectory directory;
  {
    auto socket = WakeupSocket::open(directory.path());
    WakeupSocket moved = std::move(socket).value();
    assert_int_equal(test::list(directory.path(), own_name()).size(), 1);
    assert_true((::fcntl(moved.fd(), F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((::fcntl(moved.fd(), F_GETFL) & O_NONBLOCK) != 0);
    test::wait_for(test::spawn([&] {
      WakeupSocket copy = std::move(moved);
      return 0;
    }));
    assert_int_equal(test::list(directory.path(), own_name()).size(), 1);
  }
  assert_int_equal(test::list(directory.path(), own_name()).size(), 0);
}

void test_too_long_directory_is_refused_with_a_reason(void**) {
  auto socket = WakeupSocket::open("/dev/shm/" + std::string(100, 'x'));
  assert_false(bool(socket));
  assert_int_equal(socket.error().code, Errc::kInvalidArgument);
  auto missing = WakeupSocket::open("/dev/shm/recording-test-missing");
  assert_false(bool(missing));
  assert_int_equal(missing.error().code, Errc::kNotFound);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_wakes_another_process),
      cmocka_unit_test(test_wakes_all),
      cmocka_unit_test(test_full_queue_is_a_wakeup_already),
      cmocka_unit_test(test_dead_worker_is_removed_and_a_stale_socket_replaced),
      cmocka_unit_test(test_path_goes_with_the_socket),
      cmocka_unit_test(test_too_long_directory_is_refused_with_a_reason),
  };
  return cmocka_run_group_tests_name("runtime_wakeup", tests, nullptr, nullptr);
}
