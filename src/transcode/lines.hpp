#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace recording::transcode {

// Makes lines of what a program writes, whichever way it comes in pieces. A line is cut at
// kLongest.
class Lines {
 public:
  static constexpr std::size_t kLongest = 1024;

  // Calls `line(std::string_view)` for each whole one but the empty.
  template <class Line>
  void add(std::string_view piece, Line line) {
    for (const char c : piece) {
      if (c != '\n' && c != '\r') {
        if (begun_.size() < kLongest) {
          begun_ += c;
        }
      } else if (!begun_.empty()) {
        line(std::string_view(begun_));
        begun_.clear();
      }
    }
  }

 private:
  std::string begun_;
};

}  // namespace recording::transcode
