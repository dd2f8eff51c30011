#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"

namespace recording::test {

// Keeps every line, so that a test can say what an operator would have read.
class MemoryLog final : public Log {
 public:
  struct Line {
    LogLevel level;
    std::string text;
  };

  void write(LogLevel level, std::string_view line) noexcept override {
    lines_.push_back({level, std::string(line)});
  }

  [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }
  void clear() { lines_.clear(); }

  // How many lines contain `text`.
  [[nodiscard]] std::size_t count(std::string_view text) const {
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(),
        [text](const Line& line) { return line.text.find(text) != std::string::npos; }));
  }
  // How many lines are at least as bad as `level`.
  [[nodiscard]] std::size_t count_from(LogLevel level) const {
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(), [level](const Line& line) { return line.level >= level; }));
  }

 private:
  std::vector<Line> lines_;
};

}  // namespace recording::test
