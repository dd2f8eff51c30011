// recording-inspect: what is in a recording's file. docs/operations.md has its manual.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "inspect/closer.hpp"
#include "inspect/facts.hpp"
#include "inspect/report.hpp"
#include "storage/posix_file.hpp"

namespace {

using namespace recording;

enum Exit : int { kDone = 0, kFailed = 1, kNotOurs = 2, kInUse = 3, kUsage = 64 };

constexpr char kHelp[] =
    "usage: recording-inspect [--json] [--repair] FILE\n"
    "Tells what is in the source.mp4 of a recording: epochs, interruptions, timestamp repairs.\n"
    "  --json    as JSON: the API's timeline object and the facts of the file\n"
    "  --repair  first close the file, should a crash have left it open\n";

struct Arguments {
  bool json = false, repair = false, help = false;
  std::string path;
  bool valid = true;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  bool options = true;
  for (int i = 1; i < count; ++i) {
    const std::string_view value = values[i];
    if (options && value == "--") {
      options = false;
    } else if (options && value == "--json") {
      arguments.json = true;
    } else if (options && value == "--repair") {
      arguments.repair = true;
    } else if (options && value == "--help") {
      arguments.help = true;
    } else if ((options && value.starts_with('-')) || !arguments.path.empty() || value.empty()) {
      arguments.valid = false;
    } else {
      arguments.path = value;
    }
  }
  arguments.valid = arguments.valid && (arguments.help || !arguments.path.empty());
  return arguments;
}

int fail(const std::string& path, const Error& error) {
  const char* hint = "";
  int code = kFailed;
  if (error.code == Errc::kCorrupt) {
    hint = "; it is no recording of this module, or is damaged";
    code = kNotOurs;
  } else if (error.code == Errc::kUnavailable) {
    code = kInUse;
  }
  (void)std::fprintf(stderr, "recording-inspect: %s: %s%s\n", path.c_str(), error.message.c_str(),
                     hint);
  return code;
}

Status repair(storage::FileSystem& files, const std::string& path) {
  auto closed = inspect::close_recording(files, path);
  if (!closed) {
    return std::move(closed).error();
  }
  const inspect::Closed& done = closed.value();
  (void)std::fprintf(stderr, "recording-inspect: %s: %s\n", path.c_str(),
                     done.was_finished ? "is finished, nothing to repair" : "closed");
  if (done.kept > 0) {
    (void)std::fprintf(stderr, "recording-inspect: %llu bytes of no whole fragment are in %s\n",
                       static_cast<unsigned long long>(done.kept), done.kept_path.c_str());
  }
  return ok();
}

int run(const Arguments& arguments) {
  storage::PosixFileSystem files;
  if (arguments.repair) {
    if (Status status = repair(files, arguments.path); !status) {
      return fail(arguments.path, status.error());
    }
  }
  auto file = files.open_for_read(arguments.path);
  if (!file) {
    return fail(arguments.path, file.error());
  }
  auto facts = inspect::read_facts(*file.value());
  if (!facts) {
    return fail(arguments.path, facts.error());
  }
  const char* state = facts.value().finished       ? "finished"
                      : file.value()->is_claimed() ? "being recorded"
                                                   : "not closed";
  const api::Json json = inspect::facts_json(facts.value(), arguments.path, state);
  const std::string text = arguments.json ? api::to_text(json) + "\n" : inspect::facts_text(json);
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? kFailed : kDone;
}

}  // namespace

int main(int count, char** values) {
  try {
    const Arguments arguments = parse(count, values);
    if (!arguments.valid || arguments.help) {
      (void)std::fputs(kHelp, arguments.valid ? stdout : stderr);
      return arguments.valid ? kDone : kUsage;
    }
    return run(arguments);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "recording-inspect: %s\n", error.what());
    return kFailed;
  }
}
