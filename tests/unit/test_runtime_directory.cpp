#include <sys/stat.h>

#include <string>

#include "runtime/runtime_directory.hpp"
#include "test_runtime_support.hpp"
#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::runtime;
using test::TempDirectory;

constexpr uid_t kWorker = 65534;  // nobody

bool is_refused(const Status& status) {
  Status copy = status;
  return !copy && copy.error().code == Errc::kInvalidArgument;
}

struct stat stat_of(const std::string& path) {
  struct stat info = {};
  (void)::stat(path.c_str(), &info);
  return info;
}

void test_made_for_its_owner(void**) {
  TempDirectory directory;
  std::string path = directory.file("run");
  assert_true(bool(check_runtime_directory(path, ::geteuid())));
  assert_int_not_equal(::access(path.c_str(), F_OK), 0);  // a check makes nothing
  assert_true(bool(make_runtime_directory(path, ::geteuid(), ::getegid())));
  struct stat info = stat_of(path);
  assert_int_equal(info.st_mode & 07777, 0700);
  assert_int_equal(info.st_uid, ::geteuid());
  assert_true(bool(make_runtime_directory(path + "/", ::geteuid(), ::getegid())));
}

void test_parents_are_made(void**) {
  TempDirectory directory;
  std::string path = directory.file("a/b");
  assert_true(bool(check_runtime_directory(path + "//c", ::geteuid())));
  assert_true(bool(make_runtime_directory(path + "//c/", ::geteuid(), ::getegid())));
  assert_int_equal(stat_of(path + "/c").st_mode & 07777, 0700);
  ::rmdir((path + "/c").c_str());
  ::rmdir(path.c_str());
}

void test_mode_is_tightened(void**) {
  TempDirectory directory;
  std::string path = directory.file("run");
  ::mkdir(path.c_str(), 0755);
  ::chmod(path.c_str(), 0777);
  assert_true(bool(make_runtime_directory(path, ::geteuid(), ::getegid())));
  assert_int_equal(stat_of(path).st_mode & 07777, 0700);
}

void test_disk_is_refused(void**) {
  // /proc is no tmpfs anywhere, existing or not; unlike the root of a container.
  assert_true(is_refused(check_runtime_directory("/proc/self", ::geteuid())));
  assert_true(is_refused(check_runtime_directory("/proc/missing/run", ::geteuid())));
  assert_true(is_refused(make_runtime_directory("/proc/missing", ::geteuid(), ::getegid())));
  assert_true(is_refused(check_runtime_directory("run", ::geteuid())));
  assert_true(is_refused(check_runtime_directory("", ::geteuid())));
}

void test_links_and_files_are_refused(void**) {
  TempDirectory directory;
  assert_int_equal(::symlink("/dev/shm", directory.file("link").c_str()), 0);
  std::ofstream(directory.file("file")) << "x";
  for (const char* name : {"link", "link/", "file"}) {
    assert_true(is_refused(check_runtime_directory(directory.file(name), ::geteuid())));
    assert_true(is_refused(make_runtime_directory(directory.file(name), ::geteuid(), ::getegid())));
  }
}

void test_directory_of_another_user_is_refused(void**) {
  if (::geteuid() != 0) {
    skip();
  }
  TempDirectory directory;
  std::string path = directory.file("run");
  ::mkdir(path.c_str(), 0700);
  assert_int_equal(::chown(path.c_str(), 12345, 12345), 0);
  assert_true(is_refused(check_runtime_directory(path, kWorker)));
  assert_true(is_refused(make_runtime_directory(path, kWorker, kWorker)));
  assert_int_equal(stat_of(path).st_uid, 12345);
}

void test_root_makes_it_for_the_worker(void**) {
  if (::geteuid() != 0) {
    skip();
  }
  TempDirectory directory;
  std::string path = directory.file("run");
  ::mkdir(path.c_str(), 0755);  // by a package, say
  assert_true(bool(make_runtime_directory(path, kWorker, kWorker)));
  struct stat info = stat_of(path);
  assert_int_equal(info.st_uid, kWorker);
  assert_int_equal(info.st_gid, kWorker);
  assert_int_equal(info.st_mode & 07777, 0700);

  std::string full = directory.file("full");
  ::mkdir(full.c_str(), 0755);
  std::ofstream(full + "/something") << "x";
  assert_true(is_refused(make_runtime_directory(full, kWorker, kWorker)));
  assert_int_equal(stat_of(full).st_uid, 0);
  ::unlink((full + "/something").c_str());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_made_for_its_owner),
      cmocka_unit_test(test_parents_are_made),
      cmocka_unit_test(test_mode_is_tightened),
      cmocka_unit_test(test_disk_is_refused),
      cmocka_unit_test(test_links_and_files_are_refused),
      cmocka_unit_test(test_directory_of_another_user_is_refused),
      cmocka_unit_test(test_root_makes_it_for_the_worker),
  };
  return cmocka_run_group_tests_name("runtime_directory", tests, nullptr, nullptr);
}
