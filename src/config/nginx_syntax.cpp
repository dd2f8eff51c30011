#include "config/nginx_syntax.hpp"

#include <utility>

namespace recording::config {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Error unexpected(std::string_view what) {
  return {Errc::kInvalidArgument, "unexpected \"" + std::string(what) + "\""};
}

// What ngx_conf_read_token() makes of backslashes; any other stays with what follows it.
std::string without_escapes(std::string_view raw) {
  std::string word;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char next = raw[i] == '\\' && i + 1 < raw.size() ? raw[i + 1] : '\0';
    const std::size_t known =
        next == '\0' ? std::string_view::npos : std::string_view("\"'\\trn").find(next);
    if (known == std::string_view::npos) {
      word += raw[i];
      continue;
    }
    word += "\"'\\\t\r\n"[known];
    ++i;
  }
  return word;
}

}  // namespace

// And comments.
void NginxSyntax::skip_spaces() {
  bool comment = false;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      comment = false;
    } else if (!comment && c == '#') {
      comment = true;
    } else if (!comment && !is_space(c)) {
      return;
    }
  }
}

Result<NginxSyntax::Statement> NginxSyntax::end_of_text(bool in_statement) const {
  if (in_statement) {
    return Error{Errc::kInvalidArgument, "unexpected end of file, expecting \";\" or \"}\""};
  }
  return Statement{Kind::kEnd, {}, line_};
}

// False: the text ends in the middle of it.
Result<bool> NginxSyntax::read_word(Statement& statement) {
  const char first = text_[at_];
  const char quote = first == '"' || first == '\'' ? first : '\0';
  at_ += quote != '\0' ? 1 : 0;
  const std::size_t begin = at_;
  bool variable = false;  // "${name}" begins no block
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    line_ += c == '\n' && quote != '\0' ? 1 : 0;
    if (c == '\\') {
      ++at_;
      line_ += at_ < text_.size() && text_[at_] == '\n' ? 1 : 0;
      variable = false;
      continue;
    }
    if (quote != '\0' ? c == quote
                      : is_space(c) || c == ';' || (c == '{' && !(variable && at_ > begin))) {
      statement.words.push_back(without_escapes(text_.substr(begin, at_ - begin)));
      if (quote == '\0') {
        return true;
      }
      ++at_;
      const std::string_view behind = text_.substr(at_, 1);
      if (behind.find_first_not_of(" \t\r\n;{)") != behind.npos) {
        return unexpected(behind);
      }
      return true;
    }
    variable = c == '$' || (variable && c == '{');
  }
  return false;
}

Result<NginxSyntax::Statement> NginxSyntax::next() {
  Statement statement;
  for (;;) {
    skip_spaces();
    if (at_ >= text_.size()) {
      return end_of_text(!statement.words.empty());
    }
    const char c = text_[at_];
    if (c == ';' || c == '{') {
      if (statement.words.empty()) {
        return unexpected(text_.substr(at_, 1));
      }
      ++at_;
      statement.kind = c == ';' ? Kind::kStatement : Kind::kBlockBegin;
      statement.line = line_;
      return statement;
    }
    if (c == '}') {
      if (!statement.words.empty()) {
        return unexpected("}");
      }
      ++at_;
      return Statement{Kind::kBlockEnd, {}, line_};
    }
    auto whole = read_word(statement);
    if (!whole) {
      return std::move(whole).error();
    }
    if (!whole.value()) {
      return end_of_text(true);
    }
  }
}

Status NginxSyntax::skip_block(bool raw) {
  for (std::size_t depth = 1; depth > 0;) {
    if (raw) {
      if (at_ >= text_.size()) {
        return end_of_text(true).error();
      }
      const char c = text_[at_++];
      line_ += c == '\n' ? 1 : 0;
      depth += c == '{' ? 1 : 0;
      depth -= c == '}' ? 1 : 0;
      continue;
    }
    auto statement = next();
    if (!statement) {
      return std::move(statement).error();
    }
    switch (statement.value().kind) {
      case Kind::kStatement:
        break;
      case Kind::kBlockBegin:
        if (statement.value().words[0].ends_with("_by_lua_block")) {
          RECORDING_TRY(skip_block(true));
        } else {
          ++depth;
        }
        break;
      case Kind::kBlockEnd:
        --depth;
        break;
      case Kind::kEnd:
        return end_of_text(true).error();
    }
  }
  return ok();
}

}  // namespace recording::config
