#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "processing/source_plan.hpp"

namespace recording::processing {

// Compares what was decoded of a recording with what there is.
class MissingParts {
 public:
  // A picture of that part was decoded that is seen at that time.
  void add_picture(const PicturePart& part, std::int64_t at);
  // No more comes of the part. `why`: what the decoder said; may be empty.
  void end_part(const PicturePart& part, const std::string& why);
  // There is no sound between these times.
  void add_silence(std::int64_t begin, std::int64_t end, const std::string& why);

  // For a person; empty: nothing is missing.
  [[nodiscard]] std::string text() const;

 private:
  struct Hole {
    std::int64_t begin, end;
    bool sound;
    std::string why;
  };
  void add(Hole hole);

  std::vector<std::uint64_t> decoded_;  // of the stretches of the part that is decoded now
  std::vector<Hole> holes_;
};

// "01:02:03" of a time, to the whole second below.
std::string clock_text(std::int64_t ticks);

}  // namespace recording::processing
