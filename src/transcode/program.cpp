#include "transcode/program.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace recording::transcode {
namespace {

enum class Read { kSome, kBlocked, kEnd };

// One that writes all the time must not hold up the event loop: it is told again. More than a pipe
// holds, so that nothing is left behind the last write of all.
constexpr int kMostPieces = 32;
constexpr std::size_t kTextPiece = 4096, kMediaPiece = 65536;

// `use` is given what is there, one piece.
template <std::size_t kPiece, class Use>
Read read_piece(int fd, Use use) {
  std::array<char, kPiece> piece;
  const ssize_t size = ::read(fd, piece.data(), piece.size());
  if (size > 0) {
    use(std::string_view(piece.data(), static_cast<std::size_t>(size)));
    return Read::kSome;
  }
  if (size < 0 && errno == EINTR) {
    return Read::kSome;
  }
  return size < 0 && errno == EAGAIN ? Read::kBlocked : Read::kEnd;
}

// What is there, piece by piece; kSome: there may be more.
template <std::size_t kPiece = kTextPiece, class Use>
Read read_pieces(int fd, Use use) {
  Read result = Read::kSome;
  for (int i = 0; i < kMostPieces && result == Read::kSome; ++i) {
    result = read_piece<kPiece>(fd, use);
  }
  return result;
}

}  // namespace

Result<std::unique_ptr<Program>> Program::start(EventLoop& events, const std::string& launcher,
                                                const std::vector<std::string>& command,
                                                Handlers handlers) {
  auto pipes = process::launch(launcher, command,
                               handlers.made ? process::Media::kPiped : process::Media::kNone);
  if (!pipes) {
    return std::move(pipes).error();
  }
  std::unique_ptr<Program> program(new Program(std::move(pipes).value(), std::move(handlers)));
  if (!program->watch(events)) {
    return Error{Errc::kUnavailable, "no connections are left for its pipes"};
  }
  return program;
}

bool Program::watch(EventLoop& events) {
  input_watch_ =
      events.watch(pipes_.input.get(), EventLoop::For::kWriting, [this] { handlers_.writable(); });
  output_watch_ =
      events.watch(pipes_.output.get(), EventLoop::For::kReading, [this] { read_output(); });
  errors_watch_ =
      events.watch(pipes_.errors.get(), EventLoop::For::kReading, [this] { read_errors(); });
  if (pipes_.media.valid()) {
    media_watch_ =
        events.watch(pipes_.media.get(), EventLoop::For::kReading, [this] { read_media(); });
    if (media_watch_ == nullptr) {
      return false;
    }
  }
  return input_watch_ != nullptr && output_watch_ != nullptr && errors_watch_ != nullptr;
}

void Program::close_input() {
  input_watch_.reset();
  pipes_.input.reset();
}

void Program::read_output() {
  const Read result = read_pieces(pipes_.output.get(), [this](std::string_view piece) {
    output_lines_.add(piece, [this](std::string_view line) {
      if (report_.take(line)) {
        handlers_.progressed(report_);
      }
    });
  });
  read_errors();  // also its last words
  if (result != Read::kEnd) {
    return output_watch_->wait();
  }
  read_media();  // all that it made: nobody writes any more
  const auto ended = handlers_.ended;
  ended(report_.end.value_or(ProgramEnd{}));
}

void Program::read_errors() {
  if (errors_watch_ == nullptr) {
    return;
  }
  const Read result = read_pieces(pipes_.errors.get(), [this](std::string_view piece) {
    error_lines_.add(piece, [this](std::string_view line) { handlers_.said(line); });
  });
  if (result == Read::kEnd) {
    errors_watch_.reset();
  } else {
    errors_watch_->wait();
  }
}

void Program::read_media() {
  if (media_watch_ == nullptr) {
    return;
  }
  const Read result = read_pieces<kMediaPiece>(pipes_.media.get(), [this](std::string_view piece) {
    handlers_.made({reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()});
  });
  if (result == Read::kEnd) {
    media_watch_.reset();
  } else {
    media_watch_->wait();
  }
}

}  // namespace recording::transcode
