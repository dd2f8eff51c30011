#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace recording::config {

// Reads nginx's syntax the way nginx does: words, quotes, escapes, comments.
class NginxSyntax {
 public:
  // `text` must outlive it.
  explicit NginxSyntax(std::string_view text) : text_(text) {}

  enum class Kind { kStatement, kBlockBegin, kBlockEnd, kEnd };
  struct Statement {
    Kind kind = Kind::kEnd;
    std::vector<std::string> words;  // of kStatement and kBlockBegin
    std::size_t line = 0;            // where it ends, which is what nginx names
  };
  // kInvalidArgument, with what is wrong; line() says where.
  Result<Statement> next();
  // Behind the end of the block that was begun last. Of a block of Lua, `raw`: nginx does not read
  // these itself; its braces are counted.
  Status skip_block(bool raw);
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  Result<Statement> end_of_text(bool in_statement) const;
  Result<bool> read_word(Statement& statement);
  void skip_spaces();

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace recording::config
