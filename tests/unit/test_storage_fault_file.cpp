// The crash tests are worth what this fake is worth.
#include <cerrno>
#include <string>
#include <vector>

#include "support/fault_file.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using storage::File;
using test::Call;
using test::FaultFileSystem;
using test::MemFileSystem;
using test::PowerCut;

struct Disk {
  MemFileSystem memory;
  FaultFileSystem files{memory};

  std::unique_ptr<File> durable_file(const std::string& path, const Bytes& bytes) {
    std::unique_ptr<File> file = std::move(files.create(path)).value();
    write(*file, bytes, 0);
    files.settle();
    return file;
  }
  static bool write(File& file, Bytes bytes, std::uint64_t offset) {
    const iovec piece{bytes.data(), bytes.size()};
    return bool(file.write_at({&piece, 1}, offset));
  }
};

void synced_bytes_and_names_survive(void**) {
  Disk disk;
  auto file = std::move(disk.files.create("a")).value();
  Disk::write(*file, Bytes(100, 1), 0);
  assert_true(bool(file->sync()));
  Disk::write(*file, Bytes(100, 2), 100);
  assert_true(bool(disk.files.sync_directory("/")));
  disk.files.cut_power();
  assert_true(disk.memory.read("a") == Bytes(100, 1));
  assert_false(Disk::write(*file, Bytes(1, 1), 0));  // a file of before the cut
  assert_true(bool(disk.files.open("a")));
}

void names_need_their_directory_synced(void**) {
  Disk disk;
  assert_true(bool(disk.files.make_directories("d/e")));
  auto file = std::move(disk.files.create("d/e/a")).value();
  Disk::write(*file, Bytes(10, 1), 0);
  assert_true(bool(file->sync()));
  assert_true(bool(disk.files.sync_directory("d/e")));
  assert_true(bool(disk.files.sync_directory("d")));
  PowerCut keeping;
  keeping.keep_names = true;
  disk.files.cut_power(keeping);
  assert_true(disk.memory.exists("d/e/a"));
  auto other = std::move(disk.files.create("d/b")).value();
  assert_true(bool(disk.files.rename("d/e/a", "d/e/c")));
  disk.files.cut_power();
  assert_true(disk.memory.paths() == std::vector<std::string>{"d/e/a"});
  assert_true(bool(disk.files.remove("d/e/a")));
  disk.files.cut_power();
  assert_true(disk.memory.read("d/e/a") == Bytes(10, 1));
  assert_true(bool(disk.files.remove("d/e/a")));
  assert_true(bool(disk.files.sync_directory("d/e")));
  disk.files.cut_power();
  assert_true(disk.memory.paths().empty());
}

void a_prefix_of_what_was_not_synced_may_survive(void**) {
  Disk disk;
  auto file = disk.durable_file("a", Bytes(4, 1));
  Disk::write(*file, Bytes(4, 2), 4);
  Disk::write(*file, Bytes(2, 3), 0);
  PowerCut how;
  how.bytes = PowerCut::Bytes::kPrefix;
  how.prefix_bytes = 5;
  disk.files.cut_power(how);
  assert_true(disk.memory.read("a") == Bytes({3, 1, 1, 1, 2, 2, 2, 2}));
}

void random_prefixes_differ_by_seed_only(void**) {
  std::vector<Bytes> seen;
  for (const std::uint32_t seed : {1U, 2U, 3U, 1U}) {
    Disk disk;
    auto file = disk.durable_file("a", {});
    Disk::write(*file, Bytes(100'000, 2), 0);
    PowerCut how;
    how.bytes = PowerCut::Bytes::kRandomPrefix;
    how.seed = seed;
    disk.files.cut_power(how);
    seen.push_back(disk.memory.read("a"));
  }
  assert_true(seen[0] == seen[3]);
  assert_true(seen[0] != seen[1] && seen[1] != seen[2]);
}

void a_hole_keeps_the_length_and_no_bytes(void**) {
  Disk disk;
  auto file = disk.durable_file("a", Bytes(4, 1));
  Disk::write(*file, Bytes(4, 2), 2);
  PowerCut how;
  how.bytes = PowerCut::Bytes::kHole;
  disk.files.cut_power(how);
  assert_true(disk.memory.read("a") == Bytes({1, 1, 1, 1, 0, 0}));
}

void sectors_survive_each_by_itself(void**) {
  Disk disk;
  auto file = disk.durable_file("a", Bytes(512 * 100, 1));
  Disk::write(*file, Bytes(512 * 100, 2), 0);
  PowerCut how;
  how.bytes = PowerCut::Bytes::kRandomSectors;
  disk.files.cut_power(how);
  const Bytes left = disk.memory.read("a");
  int changes = 0;
  bool torn = false;
  for (std::size_t i = 1; i < left.size(); ++i) {
    changes += left[i] != left[i - 1] ? 1 : 0;
    torn = torn || (left[i] != left[i - 1] && i % 512 != 0);
  }
  assert_true(changes > 20);
  assert_false(torn);
}

void a_truncation_that_was_not_synced_is_undone(void**) {
  Disk disk;
  auto file = disk.durable_file("a", Bytes(8, 1));
  assert_true(bool(file->truncate(2)));
  disk.files.cut_power();
  assert_int_equal(disk.memory.read("a").size(), 8);
  file = std::move(disk.files.open("a")).value();
  assert_true(bool(file->truncate(2)));
  assert_true(bool(file->sync()));
  disk.files.cut_power();
  assert_int_equal(disk.memory.read("a").size(), 2);
}

void the_nth_call_fails_with_its_errno(void**) {
  Disk disk;
  auto file = disk.durable_file("a", {});
  disk.files.inject({.call = Call::kWrite, .nth = 2, .sys_errno = ENOSPC, .partial_bytes = 3});
  assert_true(Disk::write(*file, Bytes(4, 1), 0));
  Bytes bytes(4, 2);
  const iovec piece{bytes.data(), bytes.size()};
  Status status = file->write_at({&piece, 1}, 4);
  assert_true(!status && status.error().code == Errc::kNoSpace);
  assert_int_equal(status.error().sys_errno, ENOSPC);
  assert_true(disk.memory.read("a") == Bytes({1, 1, 1, 1, 2, 2, 2}));
  assert_true(bool(file->write_at({&piece, 1}, 4)));
  disk.files.inject({.call = Call::kSync, .sys_errno = EIO, .persistent = true});
  status = file->sync();
  assert_true(!status && status.error().code == Errc::kIo);
  assert_false(bool(file->sync()));
  disk.files.clear_faults();
  assert_true(bool(file->sync()));
  assert_int_equal(disk.files.calls(Call::kWrite), 4);
}

void a_stopped_machine_changes_nothing_more(void**) {
  Disk disk;
  auto file = disk.durable_file("a", {});
  disk.files.inject({.call = Call::kAnyChange, .nth = 2, .sys_errno = EIO, .persistent = true});
  assert_true(Disk::write(*file, Bytes(1, 1), 0));
  assert_false(bool(file->sync()));
  assert_false(Disk::write(*file, Bytes(1, 1), 1));
  assert_false(bool(disk.files.create("b")));
  assert_true(bool(disk.files.open_for_read("a")));
  disk.files.clear_faults();
  disk.files.cut_power();
  assert_true(disk.memory.read("a").empty());
}

void a_failed_sync_may_forget_what_it_should_save(void**) {
  Disk disk;
  auto file = disk.durable_file("a", {});
  Disk::write(*file, Bytes(4, 1), 0);
  disk.files.inject({.call = Call::kSync, .sys_errno = EIO, .sync_forgets = true});
  assert_false(bool(file->sync()));
  assert_true(bool(file->sync()));
  disk.files.cut_power();
  assert_true(disk.memory.read("a").empty());
}

void memory_files_have_the_errors_of_real_ones(void**) {
  MemFileSystem memory;
  memory.put("d/a", Bytes(3, 1));
  assert_true(memory.create("/d//a").error().code == Errc::kConflict);
  assert_true(memory.create("no/a").error().code == Errc::kNotFound);
  assert_true(memory.open("d/b").error().code == Errc::kNotFound);
  assert_int_equal(memory.open("d").error().sys_errno, EISDIR);
  assert_int_equal(memory.remove("d").error().sys_errno, ENOTEMPTY);
  memory.put("d/b", {});
  assert_true(memory.rename("d/a", "d/b").error().code == Errc::kConflict);
  assert_true(memory.list("d").value() == std::vector<std::string>({"a", "b"}));
  auto file = std::move(memory.open_for_read("d/a")).value();
  assert_false(Disk::write(*file, Bytes(1, 1), 0));
  assert_true(bool(memory.remove("d/a")));
  Bytes bytes(9);
  assert_int_equal(file->read_at(bytes, 1).value(), 2);  // removed, but still open
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(synced_bytes_and_names_survive),
      cmocka_unit_test(names_need_their_directory_synced),
      cmocka_unit_test(a_prefix_of_what_was_not_synced_may_survive),
      cmocka_unit_test(random_prefixes_differ_by_seed_only),
      cmocka_unit_test(a_hole_keeps_the_length_and_no_bytes),
      cmocka_unit_test(sectors_survive_each_by_itself),
      cmocka_unit_test(a_truncation_that_was_not_synced_is_undone),
      cmocka_unit_test(the_nth_call_fails_with_its_errno),
      cmocka_unit_test(a_stopped_machine_changes_nothing_more),
      cmocka_unit_test(a_failed_sync_may_forget_what_it_should_save),
      cmocka_unit_test(memory_files_have_the_errors_of_real_ones),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
