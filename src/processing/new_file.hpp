#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/file.hpp"

namespace recording::processing {

// In front of the names of files that are not whole yet. Nothing that is served begins with a dot.
inline constexpr std::string_view kUnfinished = ".processing-";

// Removes what a process that was killed has left in the folder.
Status remove_unfinished(storage::FileSystem& files, const std::string& folder);

// Where {folder}/{name} is written before it gets that name.
std::string unfinished_path(const std::string& folder, const std::string& name);
// Gives what is written there its name; it is synced already. Takes the place of one of that name.
Status give_name(storage::FileSystem& files, const std::string& folder, const std::string& name);

// Writes a small file whole.
Status write_file(storage::FileSystem& files, const std::string& folder, const std::string& name,
                  ByteView bytes);

}  // namespace recording::processing
