/// Lets long work be ended from outside without asking for it too often.
#pragma once

#include <cstddef>

#include "core/interrupt.hpp"

namespace fastaudio {

/// Calls `check_interrupt` about once per so much work; short work never pays for it.
class Pace {
 public:
  /// Says that some work was done, as the number of values that it went through.
  void did(std::size_t n_values) {
    n_values_ += n_values;
    if (n_values_ >= kValues) look();
  }

 private:
  static constexpr std::size_t kValues = std::size_t{1} << 18;  // some 10 ms of the slowest nodes

  void look() {
    n_values_ = 0;
    check_interrupt();
  }

  std::size_t n_values_ = 0;
};

}  // namespace fastaudio
