/// Tables of a real FFT of any length: factors 4, 2, 3, 5 and any other by its definition.
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/kernels.hpp"

namespace fastaudio::dsp {

/// Immutable; share it between threads. Cost of a transform: O(n sum of factors).
class RealFft {
 public:
  /// `n_fft` >= 2.
  explicit RealFft(int n_fft);

  RealFft(const RealFft&) = delete;  // plans point into its tables
  RealFft& operator=(const RealFft&) = delete;

  /// Points the plan at these tables, which must outlive it.
  void describe(MelPlan& plan) const;

 private:
  struct Stage {
    int radix;
    int length;
    std::vector<float> twiddle;
    std::vector<float> root;
  };

  int n_fft_;
  int points_;  ///< of the complex transform: n / 2 if n is even, else n
  std::vector<Stage> stages_;
  std::vector<std::int32_t> order_;
  std::vector<float> split_;
};

}  // namespace fastaudio::dsp
