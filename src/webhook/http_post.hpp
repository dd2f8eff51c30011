#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace recording::webhook {

// A POST, as a port. Blocks for as long as the implementation's time limit; one thread at a time.
class HttpPost {
 public:
  virtual ~HttpPost() = default;
  // The status of the answer, whose body is not read; an error when there is none. Redirects are
  // not followed. `headers`: "Name: value".
  virtual Result<int> post(const std::string& url, const std::vector<std::string>& headers,
                           const std::string& body) = 0;
};

}  // namespace recording::webhook
