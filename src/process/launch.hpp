#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace recording::process {

// A program that runs behind recording-launcher (src/launcher/main.cpp), as the pipes to it. All
// are non-blocking and closed on exec. When its holder dies the program is ended, whatever it does.
struct LaunchedProgram {
  UniqueFd input;     // write: its standard input
  UniqueFd output;    // read: its standard output, then the launcher's line of how it ended
  UniqueFd errors;    // read: its standard error
  UniqueFd media;     // read: its descriptor kMediaDescriptor, if it has that
  UniqueFd lifeline;  // closing it has the program ended: SIGTERM, and SIGKILL after 5 s
};

inline constexpr int kMediaDescriptor = 4;
enum class Media { kNone, kPiped };

// Starts `command` (found as execvp does) behind the launcher at that path. Never waits for
// either: whether the program can be run shows in `output`. Call it from a thread that lives as
// long as the program should: the event loop's.
Result<LaunchedProgram> launch(const std::string& launcher, const std::vector<std::string>& command,
                               Media media = Media::kNone);

}  // namespace recording::process
