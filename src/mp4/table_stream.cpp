#include "mp4/table_stream.hpp"

namespace recording::mp4 {

void TableStream::flush() {
  if (status_ && file_ != nullptr && used_ != 0) {
    if (used_ > left_) {  // never over what comes behind it
      status_ = Error{Errc::kInternal, "a table of moov is longer than was counted"};
    } else {
      const iovec piece{buffer_.data(), used_};
      status_ = file_->write_at({&piece, 1}, offset_);
      offset_ += used_;
      left_ -= used_;
    }
  }
  buffer_.clear();
  used_ = 0;
}

Status TableStream::close() {
  flush();
  if (status_ && left_ != 0) {
    return Error{Errc::kInternal, "a table of moov is shorter than was counted"};
  }
  return status_;
}

}  // namespace recording::mp4
