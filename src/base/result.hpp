#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace recording {

enum class Errc {
  kInvalidArgument = 1,
  kNotFound,
  kConflict,
  kIo,
  kNoSpace,
  kCorrupt,
  kUnavailable,
  kInternal
};

struct [[nodiscard]] Error {
  Errc code;
  std::string message;
  int sys_errno = 0;

  // Puts what the caller was doing in front: "open segment: write: No space left".
  Error wrap(std::string_view context) && {
    message.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

// A value or an Error. Never throws by itself; read value() only after testing it.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  [[nodiscard]] T& value() & { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] Error& error() & { return *std::get_if<1>(&state_); }
  [[nodiscard]] Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;
inline Status ok() { return std::monostate{}; }

}  // namespace recording

// Returns the error of `expr` from the calling function, if it has one.
#define RECORDING_TRY(expr)                              \
  do {                                                   \
    if (auto recording_try_ = (expr); !recording_try_) { \
      return std::move(recording_try_).error();          \
    }                                                    \
  } while (0)
