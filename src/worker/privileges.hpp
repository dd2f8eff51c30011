#pragma once

#include <string>

#include "base/result.hpp"

namespace recording::worker {

// Whoever starts it as root: it becomes the owner of `folder`, which nginx's workers are, so that
// these can read, change and remove all that it makes. Nothing for other users.
Status become_owner_of(const std::string& folder);

// Live streams come first: what this process and its children do waits for them.
void lower_priority();

}  // namespace recording::worker
