#pragma once

#include <cstdlib>

// What must hold of any input: libFuzzer reports an abort, and keeps the input.
inline void require(bool fact) {
  if (!fact) {
    std::abort();
  }
}
