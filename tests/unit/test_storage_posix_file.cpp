#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "storage/posix_file.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using storage::File;
using storage::PosixFileSystem;

// A directory that is gone after the test.
struct Folder {
  Folder() {
    char name[] = "/tmp/recording_test_XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { remove(path); }
  void remove(const std::string& at) {
    PosixFileSystem files;
    if (auto names = files.list(at)) {
      for (const std::string& name : names.value()) {
        remove(at + "/" + name);
      }
    }
    (void)files.remove(at);
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8));
  }
  return bytes;
}

std::vector<iovec> cut(Bytes& bytes, std::size_t size) {
  std::vector<iovec> pieces;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    pieces.push_back({bytes.data() + at, std::min(size, bytes.size() - at)});
  }
  return pieces;
}

Bytes read_all(File& file) {
  Bytes bytes(1 << 22);
  bytes.resize(file.read_at(bytes, 0).value());
  return bytes;
}

void writes_more_pieces_than_one_call_takes(void**) {
  const Folder folder;
  PosixFileSystem files;
  auto file = files.create(folder / "a");
  assert_true(bool(file));
  Bytes bytes = pattern(50'000);
  std::vector<iovec> pieces = cut(bytes, 7);  // 7143 pieces; IOV_MAX is 1024
  pieces.insert(pieces.begin() + 1000, 2000, iovec{nullptr, 0});
  assert_true(bool(file.value()->write_at(pieces, 0)));
  assert_true(bool(file.value()->sync()));
  assert_true(read_all(*file.value()) == bytes);
  assert_int_equal(file.value()->size().value(), bytes.size());
}

void writes_at_an_offset_and_truncates(void**) {
  const Folder folder;
  PosixFileSystem files;
  auto file = std::move(files.create(folder / "a")).value();
  Bytes bytes = pattern(10);
  assert_true(bool(file->write_at(cut(bytes, 3), 5)));
  Bytes expected(5, 0);
  expected.insert(expected.end(), bytes.begin(), bytes.end());
  assert_true(read_all(*file) == expected);
  assert_true(bool(file->truncate(7)));
  expected.resize(7);
  assert_true(read_all(*file) == expected);
  Bytes tail(100);
  assert_int_equal(file->read_at(tail, 5).value(), 2);
  assert_int_equal(file->read_at(tail, 50).value(), 0);
}

// RLIMIT_FSIZE cuts a write short as a full disk does: the rest must be tried again and fail.
void a_short_write_is_an_error(void**) {
  const Folder folder;
  PosixFileSystem files;
  auto file = std::move(files.create(folder / "a")).value();
  rlimit old{};
  (void)::getrlimit(RLIMIT_FSIZE, &old);
  (void)::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{10'000, old.rlim_max};
  (void)::setrlimit(RLIMIT_FSIZE, &limit);
  Bytes bytes = pattern(20'000);
  Status status = file->write_at(cut(bytes, 300), 0);
  (void)::setrlimit(RLIMIT_FSIZE, &old);
  assert_false(bool(status));
  assert_true(status.error().code == Errc::kIo);
  assert_int_equal(status.error().sys_errno, EFBIG);
  assert_int_equal(file->size().value(), 10'000);
  assert_true(bool(file->write_at(cut(bytes, 300), 0)));  // the same call again
  assert_true(read_all(*file) == bytes);
}

// Needs a small file system to fill: RECORDING_TEST_FULL_FS names where it is mounted.
void a_full_disk_is_no_space(void**) {
  const char* mount = ::getenv("RECORDING_TEST_FULL_FS");
  if (mount == nullptr) {
    skip();
  }
  PosixFileSystem files;
  const std::string path = std::string(mount) + "/full";
  auto file = std::move(files.create(path)).value();
  Bytes bytes = pattern(1 << 22);
  Status status = ok();
  for (std::uint64_t at = 0; status && at < (std::uint64_t{1} << 32); at += bytes.size()) {
    status = file->write_at(cut(bytes, 4096), at);
  }
  (void)files.remove(path);
  assert_false(bool(status));
  assert_true(status.error().code == Errc::kNoSpace);
  assert_int_equal(status.error().sys_errno, ENOSPC);
}

void create_never_replaces_or_follows(void**) {
  const Folder folder;
  PosixFileSystem files;
  assert_true(bool(files.create(folder / "a")));
  auto again = files.create(folder / "a");
  assert_true(!again && again.error().code == Errc::kConflict);
  assert_int_equal(again.error().sys_errno, EEXIST);
  (void)::symlink((folder / "target").c_str(), (folder / "link").c_str());
  assert_false(bool(files.create(folder / "link")));
  assert_int_equal(::access((folder / "target").c_str(), F_OK), -1);
  auto nowhere = files.create(folder / "no/a");
  assert_true(!nowhere && nowhere.error().code == Errc::kNotFound);
}

void files_are_private_and_closed_on_exec(void**) {
  const Folder folder;
  PosixFileSystem files;
  const mode_t mask = ::umask(0);
  auto file = files.create(folder / "a");
  assert_true(bool(files.make_directories(folder / "d/e")));
  ::umask(mask);
  struct stat status {};
  (void)::stat((folder / "a").c_str(), &status);
  assert_int_equal(status.st_mode & 0777, 0640);
  (void)::stat((folder / "d/e").c_str(), &status);
  assert_int_equal(status.st_mode & 0777, 0750);
  int open_on_exec = 0;
  for (int fd = 3; fd < 256; ++fd) {
    struct stat other {};
    struct stat ours {};
    (void)::stat((folder / "a").c_str(), &ours);
    if (::fstat(fd, &other) == 0 && other.st_ino == ours.st_ino && other.st_dev == ours.st_dev) {
      open_on_exec += (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0 ? 1 : 0;
    }
  }
  assert_int_equal(open_on_exec, 0);
}

void open_tells_what_is_missing_or_no_file(void**) {
  const Folder folder;
  PosixFileSystem files;
  auto missing = files.open(folder / "a");
  assert_true(!missing && missing.error().code == Errc::kNotFound);
  assert_int_equal(missing.error().sys_errno, ENOENT);
  assert_true(missing.error().message.find(folder / "a") != std::string::npos);
  assert_false(bool(files.open_for_read(folder.path)));
  (void)::mkfifo((folder / "fifo").c_str(), 0600);
  assert_false(bool(files.open_for_read(folder / "fifo")));  // and does not hang
  assert_true(bool(files.create(folder / "a")));
  auto beneath = files.open(folder / "a/b");
  assert_true(!beneath && beneath.error().code == Errc::kNotFound);
}

void a_file_open_for_reading_cannot_be_written(void**) {
  const Folder folder;
  PosixFileSystem files;
  assert_true(bool(files.create(folder / "a")));
  auto file = std::move(files.open_for_read(folder / "a")).value();
  Bytes bytes = pattern(4);
  Status status = file->write_at(cut(bytes, 4), 0);
  assert_true(!status && status.error().sys_errno == EBADF);
  auto writable = std::move(files.open(folder / "a")).value();
  assert_true(bool(writable->write_at(cut(bytes, 4), 0)));
  assert_true(read_all(*file) == bytes);
}

void rename_never_replaces(void**) {
  const Folder folder;
  PosixFileSystem files;
  Bytes bytes = pattern(4);
  assert_true(bool(files.create(folder / "a").value()->write_at(cut(bytes, 4), 0)));
  assert_true(bool(files.create(folder / "b")));
  Status status = files.rename(folder / "a", folder / "b");
  assert_true(!status && status.error().code == Errc::kConflict);
  assert_int_equal(files.open(folder / "b").value()->size().value(), 0);
  assert_true(bool(files.rename(folder / "a", folder / "c")));
  assert_true(read_all(*files.open(folder / "c").value()) == bytes);
  assert_false(bool(files.open(folder / "a")));
  Status missing = files.rename(folder / "a", folder / "d");
  assert_true(!missing && missing.error().code == Errc::kNotFound);
}

void makes_lists_syncs_and_removes_directories(void**) {
  const Folder folder;
  PosixFileSystem files;
  assert_true(bool(files.make_directories(folder / "x/y//z/")));
  assert_true(bool(files.make_directories(folder / "x/y/z")));
  assert_true(bool(files.create(folder / "x/f")));
  Status through_file = files.make_directories(folder / "x/f/g");
  assert_false(bool(through_file));
  assert_false(bool(files.make_directories(folder / "x/f")));
  std::vector<std::string> names = files.list(folder / "x").value();
  std::sort(names.begin(), names.end());
  assert_true(names == std::vector<std::string>({"f", "y"}));
  assert_true(bool(files.sync_directory(folder / "x")));
  assert_false(bool(files.sync_directory(folder / "no")));
  assert_false(bool(files.remove(folder / "x")));
  assert_true(bool(files.remove(folder / "x/y/z")));
  assert_true(bool(files.remove(folder / "x/f")));
  Status again = files.remove(folder / "x/f");
  assert_true(!again && again.error().code == Errc::kNotFound);
  auto gone = files.list(folder / "x/f");
  assert_true(!gone && gone.error().code == Errc::kNotFound);
  assert_true(files.free_bytes(folder.path).value() > 0);
}

void on_alarm(int) {}

// Signals without SA_RESTART must not make a long write fail.
void signals_do_not_disturb_writes(void**) {
  const Folder folder;
  PosixFileSystem files;
  struct sigaction action {};
  action.sa_handler = on_alarm;
  (void)::sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, 200}, {0, 200}};
  (void)::setitimer(ITIMER_REAL, &often, nullptr);
  auto file = std::move(files.create(folder / "a")).value();
  Bytes bytes = pattern(1 << 21);
  int failures = 0;
  for (int i = 0; i < 20; ++i) {
    failures += file->write_at(cut(bytes, 8192), 0) ? 0 : 1;
    failures += read_all(*file) == bytes ? 0 : 1;
  }
  failures += file->sync() ? 0 : 1;
  const itimerval never{};
  (void)::setitimer(ITIMER_REAL, &never, nullptr);
  assert_int_equal(failures, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(writes_more_pieces_than_one_call_takes),
      cmocka_unit_test(writes_at_an_offset_and_truncates),
      cmocka_unit_test(a_short_write_is_an_error),
      cmocka_unit_test(a_full_disk_is_no_space),
      cmocka_unit_test(create_never_replaces_or_follows),
      cmocka_unit_test(files_are_private_and_closed_on_exec),
      cmocka_unit_test(open_tells_what_is_missing_or_no_file),
      cmocka_unit_test(a_file_open_for_reading_cannot_be_written),
      cmocka_unit_test(rename_never_replaces),
      cmocka_unit_test(makes_lists_syncs_and_removes_directories),
      cmocka_unit_test(signals_do_not_disturb_writes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
