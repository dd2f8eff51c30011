#include <fcntl.h>
#include <sys/stat.h>

#include <set>
#include <string>
#include <utility>

#include "runtime/sip_hash.hpp"
#include "runtime/stream_lock.hpp"
#include "test_runtime_support.hpp"
#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::runtime;
using test::TempDirectory;

void test_one_owner_at_a_time(void**) {
  TempDirectory directory;
  std::string path = stream_lock_path(directory.path(), "live", "cam");
  assert_false(OwnerLock::is_held(path));
  assert_int_equal(test::list(directory.path()).size(), 0);  // asking makes no file
  {
    auto first = OwnerLock::try_acquire(path);
    assert_true(bool(first));
    assert_true(OwnerLock::is_held(path));
    auto second = OwnerLock::try_acquire(path);
    assert_false(bool(second));
    assert_int_equal(second.error().code, Errc::kConflict);
    int other = test::wait_for(test::spawn(
        [&] { return OwnerLock::is_held(path) && !OwnerLock::try_acquire(path) ? 0 : 1; }));
    assert_int_equal(other, 0);
    struct stat info = {};
    assert_int_equal(::stat(path.c_str(), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
  }
  assert_false(OwnerLock::is_held(path));
  assert_int_equal(test::list(directory.path()).size(), 0);  // names are without number
  assert_true(bool(OwnerLock::try_acquire(path)));
}

void test_lock_dies_with_its_process(void**) {
  TempDirectory directory;
  std::string path = stream_lock_path(directory.path(), "live", "cam");
  test::Signal ready;
  pid_t pid = test::spawn([&] {
    auto lock = OwnerLock::try_acquire(path);
    ready.raise();
    for (;;) {
      ::pause();
    }
    return 0;
  });
  bool came = ready.wait();
  bool held = OwnerLock::is_held(path);
  ::kill(pid, SIGKILL);
  test::wait_for(pid);
  assert_true(came);
  assert_true(held);
  assert_false(OwnerLock::is_held(path));
  assert_true(bool(OwnerLock::try_acquire(path)));
}

void test_lock_moves(void**) {
  TempDirectory directory;
  std::string a = directory.file("a.lock");
  std::string b = directory.file("b.lock");
  OwnerLock lock = std::move(OwnerLock::try_acquire(a)).value();
  OwnerLock moved = std::move(lock);
  assert_true(OwnerLock::is_held(a));
  moved = std::move(OwnerLock::try_acquire(b)).value();
  assert_false(OwnerLock::is_held(a));
  assert_true(OwnerLock::is_held(b));
}

// A child that nginx forks has copies of all objects. Their end is not the owner's end.
void test_fork_does_not_give_up_ownership(void**) {
  TempDirectory directory;
  std::string path = directory.file("x.lock");
  auto lock = OwnerLock::try_acquire(path);
  test::wait_for(test::spawn([&] {
    OwnerLock copy = std::move(lock).value();
    return 0;
  }));
  assert_true(OwnerLock::is_held(path));
  auto second = OwnerLock::try_acquire(path);
  assert_false(bool(second));
}

void test_symbolic_link_is_not_followed(void**) {
  TempDirectory directory;
  std::string path = directory.file("x.lock");
  assert_int_equal(::symlink(directory.file("target").c_str(), path.c_str()), 0);
  auto lock = OwnerLock::try_acquire(path);
  assert_false(bool(lock));
  assert_int_equal(test::list(directory.path(), "target").size(), 0);
}

// Files come and go with their locks; at no time are there two owners, and asking disturbs nobody.
void test_never_two_owners(void**) {
  constexpr int kProcesses = 4;
  constexpr int kRounds = 3000;
  TempDirectory directory;
  std::string path = directory.file("x.lock");
  std::string proof = directory.file("proof");
  pid_t pids[kProcesses];
  for (pid_t& pid : pids) {
    pid = test::spawn([&] {
      for (int i = 0; i < kRounds; ++i) {
        auto lock = OwnerLock::try_acquire(path);
        if (!lock) {
          if (lock.error().code != Errc::kConflict) {
            return 1;
          }
          (void)OwnerLock::is_held(path);
          continue;
        }
        int fd = ::open(proof.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0 || !OwnerLock::is_held(path)) {
          return 2;
        }
        ::close(fd);
        ::unlink(proof.c_str());
      }
      return 0;
    });
  }
  int failed = 0;
  for (pid_t pid : pids) {
    failed += test::wait_for(pid) != 0;
  }
  assert_int_equal(failed, 0);
}

void test_asking_never_makes_an_acquisition_fail(void**) {
  TempDirectory directory;
  std::string path = directory.file("x.lock");
  pid_t asker = test::spawn([&] {
    for (;;) {
      (void)OwnerLock::is_held(path);
    }
    return 0;
  });
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    refused += !OwnerLock::try_acquire(path);
  }
  ::kill(asker, SIGKILL);
  test::wait_for(asker);
  assert_int_equal(refused, 0);
}

void test_paths(void**) {
  std::set<std::string> paths;
  const std::pair<std::string, std::string> names[] = {
      {"live", "cam"},
      {"live", "cam2"},
      {"livec", "am"},
      {"", "livecam"},
      {"live", "../../etc"},
      {"live", std::string("cam\0", 4)},
      {std::string(256, 'a'), std::string(256, 'b')}};
  for (const auto& [app, name] : names) {
    std::string path = stream_lock_path("/run/x", app, name);
    assert_true(path == stream_lock_path("/run/x", app, name));
    assert_int_equal(path.find("/run/x/"), 0);
    assert_int_equal(path.size(), 7 + 32 + 5);
    assert_true(path.find('/', 7) == std::string::npos);
    paths.insert(path);
  }
  assert_int_equal(paths.size(), std::size(names));
  assert_true(housekeeper_lock_path("/run/x") == "/run/x/housekeeper.lock");
}

// The vectors of the SipHash paper, appendix A: key 00..0f, message 00..0e.
void test_sip_hash_is_what_it_says(void**) {
  SipHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  for (std::uint8_t i = 0; i < 15; ++i) {
    hash.add(i);
  }
  assert_true(hash.finish() == 0xa129ca6149be45e5);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_one_owner_at_a_time),
      cmocka_unit_test(test_lock_dies_with_its_process),
      cmocka_unit_test(test_lock_moves),
      cmocka_unit_test(test_fork_does_not_give_up_ownership),
      cmocka_unit_test(test_symbolic_link_is_not_followed),
      cmocka_unit_test(test_never_two_owners),
      cmocka_unit_test(test_asking_never_makes_an_acquisition_fail),
      cmocka_unit_test(test_paths),
      cmocka_unit_test(test_sip_hash_is_what_it_says),
  };
  return cmocka_run_group_tests_name("runtime_stream_lock", tests, nullptr, nullptr);
}
