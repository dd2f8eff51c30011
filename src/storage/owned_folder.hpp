#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

// Folders that one user (nginx's master) prepares for another (its workers).
namespace recording::storage {

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones
};

// With the supplementary groups that initgroups(name, gid) would give. `name` may be null.
Owner owner_of(uid_t uid, gid_t gid, const char* name);

// Whether `owner` can keep files in `path`, as far as can be said without changing anything: an
// existing one must be a folder in which he may make files; for one that does not exist the nearest
// existing parent must be a folder in which the *calling* user may make it. Messages complete
// "storage …": `"/x" is not a folder`.
Status check_folder(const std::string& path, const Owner& owner);

// check_folder, then every missing folder on the way is made, mode 0750, and given to `owner`.
// What exists is never changed.
Status make_folder(const std::string& path, const Owner& owner);

}  // namespace recording::storage
