#include "config/config_file.hpp"

#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <utility>

#include "config/directives.hpp"
#include "config/nginx_syntax.hpp"

namespace recording::config {
namespace {

using Kind = NginxSyntax::Kind;
using Statement = NginxSyntax::Statement;

constexpr int kDeepestInclude = 16;

class Parser {
 public:
  Parser(std::string_view prefix, const Includes& includes)
      : prefix_(prefix), includes_(includes) {}

  Status read(const SourceText& source, bool inside, int depth);
  Result<Config> finish();

 private:
  Status take(const SourceText& source, NginxSyntax& syntax, const Statement& statement,
              bool inside, int depth);
  Status take_block(const SourceText& source, NginxSyntax& syntax, const Statement& statement,
                    bool inside, int depth);
  Status take_directive(const SourceText& source, const Statement& statement);
  Status include(const SourceText& source, const Statement& statement, bool inside, int depth);
  Status read_until_end(const SourceText& source, NginxSyntax& syntax, bool inside, bool in_block,
                        int depth);

  std::string_view prefix_;
  const Includes& includes_;
  Config config_;
  std::set<std::string, std::less<>> given_;
  std::string block_at_;
};

std::string position(const SourceText& source, std::size_t line) {
  return " in " + source.name + ":" + std::to_string(line);
}

Error fault_at(const SourceText& source, std::size_t line, const std::string& message) {
  return {Errc::kInvalidArgument, message + position(source, line)};
}

Error directive_fault(const SourceText& source, const Statement& statement,
                      std::string_view message) {
  return fault_at(source, statement.line,
                  "\"" + statement.words[0] + "\" directive " + std::string(message));
}

Status Parser::read(const SourceText& source, bool inside, int depth) {
  NginxSyntax syntax(source.text);
  return read_until_end(source, syntax, inside, false, depth);
}

Status Parser::read_until_end(const SourceText& source, NginxSyntax& syntax, bool inside,
                              bool in_block, int depth) {
  for (;;) {
    auto next = syntax.next();
    if (!next) {
      return fault_at(source, syntax.line(), next.error().message);
    }
    const Statement& statement = next.value();
    if (statement.kind == Kind::kEnd || statement.kind == Kind::kBlockEnd) {
      if ((statement.kind == Kind::kBlockEnd) == in_block) {
        return ok();
      }
      return fault_at(source, statement.line,
                      in_block ? "unexpected end of file, expecting \"}\"" : "unexpected \"}\"");
    }
    RECORDING_TRY(take(source, syntax, statement, inside, depth));
  }
}

Status Parser::take(const SourceText& source, NginxSyntax& syntax, const Statement& statement,
                    bool inside, int depth) {
  if (statement.kind == Kind::kBlockBegin) {
    return take_block(source, syntax, statement, inside, depth);
  }
  if (statement.words[0] == "include") {
    return include(source, statement, inside, depth);
  }
  return inside ? take_directive(source, statement) : ok();
}

Status Parser::take_block(const SourceText& source, NginxSyntax& syntax, const Statement& statement,
                          bool inside, int depth) {
  if (inside) {
    return find_directive(statement.words[0]) != nullptr
               ? directive_fault(source, statement, "is not terminated by \";\"")
               : fault_at(source, statement.line,
                          "unknown directive \"" + statement.words[0] + "\"");
  }
  if (statement.words[0] != "recording") {
    const Status skipped = syntax.skip_block(statement.words[0].ends_with("_by_lua_block"));
    return skipped ? ok()
                   : Status(fault_at(source, syntax.line(), Status(skipped).error().message));
  }
  if (statement.words.size() != 1) {
    return fault_at(source, statement.line,
                    "invalid number of arguments in \"recording\" directive");
  }
  if (!block_at_.empty()) {
    return directive_fault(source, statement, "is duplicate");
  }
  block_at_ = position(source, statement.line);
  return read_until_end(source, syntax, true, true, depth);
}

Status Parser::take_directive(const SourceText& source, const Statement& statement) {
  const std::string& name = statement.words[0];
  const Directive* directive = find_directive(name);
  if (directive == nullptr) {
    return fault_at(source, statement.line, "unknown directive \"" + name + "\"");
  }
  const std::vector<std::string_view> args(statement.words.begin() + 1, statement.words.end());
  if (args.size() < directive->least || args.size() > directive->most) {
    return fault_at(source, statement.line,
                    "invalid number of arguments in \"" + name + "\" directive");
  }
  if (!given_.insert(name).second && !directive->repeatable) {
    return directive_fault(source, statement, "is duplicate");
  }
  const char* fault = directive->apply(args, prefix_, config_);
  return fault == nullptr ? ok() : Status(directive_fault(source, statement, fault));
}

Status Parser::include(const SourceText& source, const Statement& statement, bool inside,
                       int depth) {
  if (statement.words.size() != 2) {
    return fault_at(source, statement.line, "invalid number of arguments in \"include\" directive");
  }
  if (depth == kDeepestInclude) {
    return directive_fault(source, statement, "is nested too deeply");
  }
  auto texts = includes_(statement.words[1]);
  if (!texts) {
    return fault_at(source, statement.line, texts.error().message);
  }
  for (const SourceText& text : texts.value()) {
    RECORDING_TRY(read(text, inside, depth + 1));
  }
  return ok();
}

Result<Config> Parser::finish() {
  if (block_at_.empty()) {
    return Error{Errc::kInvalidArgument, "there is no \"recording { storage /path; }\" block"};
  }
  if (const Fault fault = complete(config_, prefix_); fault.message != nullptr) {
    return Error{Errc::kInvalidArgument,
                 std::string("\"") + fault.directive + "\" " + fault.message + block_at_};
  }
  return std::move(config_);
}

Result<SourceText> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  SourceText source{path, {}};
  if (file) {
    source.text.assign(std::istreambuf_iterator<char>(file), {});
  }
  if (!file || file.bad()) {
    return Error{Errc::kIo, "open() \"" + path + "\" failed: " + std::strerror(errno), errno};
  }
  return source;
}

// As nginx: a name without wildcards must be there.
Result<std::vector<SourceText>> read_files(const std::string& pattern) {
  std::vector<SourceText> texts;
  std::vector<std::string> paths;
  if (pattern.find_first_of("*?[") == pattern.npos) {
    paths.push_back(pattern);
  } else {
    glob_t found = {};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
  }
  for (const std::string& path : paths) {
    auto source = read_file(path);
    if (!source) {
      return std::move(source).error();
    }
    texts.push_back(std::move(source).value());
  }
  return texts;
}

}  // namespace

Result<Config> parse_config(const SourceText& source, std::string_view prefix,
                            const Includes& includes) {
  Parser parser(prefix, includes);
  RECORDING_TRY(parser.read(source, false, 0));
  return parser.finish();
}

Result<Config> read_config(const std::string& path, const std::string& prefix) {
  Result<SourceText> source = SourceText{"standard input", {}};
  if (path == "-") {
    source.value().text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    source = read_file(path);
  }
  if (!source) {
    return std::move(source).error();
  }
  const std::string folder = parent_of(path.starts_with('/') ? path : "./" + path);
  return parse_config(source.value(), prefix, [&](const std::string& pattern) {
    return read_files(pattern.starts_with('/') ? pattern : folder + "/" + pattern);
  });
}

}  // namespace recording::config
