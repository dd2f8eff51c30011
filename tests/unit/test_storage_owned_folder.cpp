#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "storage/owned_folder.hpp"

#include "cmocka.hpp"

namespace {

namespace fs = std::filesystem;
using recording::storage::check_folder;
using recording::storage::make_folder;
using recording::storage::Owner;

// An own folder under the temporary one; removed with everything in it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "owned-folder-XXXXXX").string();
    root_ = mkdtemp(name.data()) == nullptr ? "" : name;
    chmod(root_.c_str(), 0755);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  [[nodiscard]] std::string path(const char* below) const { return root_ + "/" + below; }

 private:
  std::string root_;
};

// Who the tests run as; for root, an unprivileged user, as nginx's workers have.
Owner worker() {
  return geteuid() == 0 ? Owner{65534, 65534, {65534}} : Owner{geteuid(), getegid(), {}};
}

void makes_every_missing_folder_for_the_owner(void** /*state*/) {
  const Scratch scratch;
  const bool made = static_cast<bool>(make_folder(scratch.path("a/b/c"), worker()));
  struct stat a {
  }, c{};
  (void)stat(scratch.path("a").c_str(), &a);
  (void)stat(scratch.path("a/b/c").c_str(), &c);
  assert_true(made);
  assert_int_equal(a.st_uid, worker().uid);
  assert_int_equal(c.st_uid, worker().uid);
  assert_int_equal(c.st_mode & 07777, 0750);
}

void check_changes_nothing(void** /*state*/) {
  const Scratch scratch;
  const bool fine = static_cast<bool>(check_folder(scratch.path("a/b"), worker()));
  const bool exists = fs::exists(scratch.path("a"));
  assert_true(fine);
  assert_false(exists);
}

void an_existing_folder_is_left_as_it_is(void** /*state*/) {
  const Scratch scratch;
  fs::create_directory(scratch.path("open"));
  chmod(scratch.path("open").c_str(), 0777);
  const bool made = static_cast<bool>(make_folder(scratch.path("open"), worker()));
  struct stat info {};
  (void)stat(scratch.path("open").c_str(), &info);
  assert_true(made);
  assert_int_equal(info.st_uid, geteuid());
  assert_int_equal(info.st_mode & 07777, 0777);
}

void refuses_a_file_in_the_way(void** /*state*/) {
  const Scratch scratch;
  std::ofstream(scratch.path("file")) << "x";
  auto itself = check_folder(scratch.path("file"), worker());
  auto below = make_folder(scratch.path("file/a"), worker());
  assert_false(static_cast<bool>(itself));
  assert_non_null(strstr(itself.error().message.c_str(), "is not a folder"));
  assert_false(static_cast<bool>(below));
}

void refuses_what_the_owner_cannot_write(void** /*state*/) {
  const Scratch scratch;
  fs::create_directory(scratch.path("closed"));
  chmod(scratch.path("closed").c_str(), 0555);
  auto status = make_folder(scratch.path("closed"), worker());
  const bool root_again = geteuid() != 0 || access("/root", W_OK) == 0;
  assert_false(static_cast<bool>(status));
  assert_non_null(strstr(status.error().message.c_str(), "cannot be written"));
  assert_true(root_again);  // the check must give the caller's own rights back
}

void a_supplementary_group_counts(void** /*state*/) {
  if (geteuid() != 0) {
    skip();
  }
  const Scratch scratch;
  fs::create_directory(scratch.path("group"));
  (void)!chown(scratch.path("group").c_str(), 0, 4711);
  chmod(scratch.path("group").c_str(), 0770);
  const bool without = static_cast<bool>(check_folder(scratch.path("group"), worker()));
  const bool with =
      static_cast<bool>(check_folder(scratch.path("group"), Owner{65534, 65534, {65534, 4711}}));
  assert_false(without);
  assert_true(with);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(makes_every_missing_folder_for_the_owner),
      cmocka_unit_test(check_changes_nothing),
      cmocka_unit_test(an_existing_folder_is_left_as_it_is),
      cmocka_unit_test(refuses_a_file_in_the_way),
      cmocka_unit_test(refuses_what_the_owner_cannot_write),
      cmocka_unit_test(a_supplementary_group_counts),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
