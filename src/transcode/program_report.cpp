#include "transcode/program_report.hpp"

#include <charconv>
#include <cstring>

namespace recording::transcode {
namespace {

// ffmpeg pads numbers with spaces in front.
std::string_view without_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == text.npos ? std::string_view() : text.substr(first);
}

// Leaves `value` as it was when there is no number ("N/A").
template <class T>
void read_number(std::string_view text, T& value) {
  text = without_spaces(text);
  T read{};
  if (std::from_chars(text.data(), text.data() + text.size(), read).ec == std::errc()) {
    value = read;
  }
}

ProgramEnd read_end(std::string_view text) {
  ProgramEnd end;
  const std::size_t space = text.find(' ');
  const std::string_view how = text.substr(0, space);
  end.how = how == "exited"   ? ProgramEnd::How::kExited
            : how == "signal" ? ProgramEnd::How::kSignal
            : how == "failed" ? ProgramEnd::How::kFailed
                              : ProgramEnd::How::kUnknown;
  if (space != text.npos) {
    read_number(text.substr(space), end.number);
  }
  return end;
}

}  // namespace

std::string describe(const ProgramEnd& end, std::string_view program) {
  const std::string name(program);
  switch (end.how) {
    case ProgramEnd::How::kExited:
      return name + " exited with status " + std::to_string(end.number);
    case ProgramEnd::How::kSignal:
      return name + " was ended by signal " + std::to_string(end.number);
    case ProgramEnd::How::kFailed:
      return name + " cannot be run: " + std::strerror(end.number);
    case ProgramEnd::How::kUnknown:
      break;
  }
  return name + " is gone, and so is its launcher";
}

bool ProgramReport::take(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == line.npos) {
    return false;
  }
  const std::string_view key = line.substr(0, equals), value = line.substr(equals + 1);
  if (key == "out_time_us") {
    read_number(value, media_us);
  } else if (key == "frame") {
    read_number(value, frames);
  } else if (key == "speed") {
    read_number(value, speed);
  } else if (key == "launcher" && (!end || end->how != ProgramEnd::How::kFailed)) {
    end = read_end(value);  // "failed" is followed by the exit of what could not be run
  }
  return key == "progress";
}

}  // namespace recording::transcode
