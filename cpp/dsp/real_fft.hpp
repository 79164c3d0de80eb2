/// Tables of a real FFT of any length.
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/kernels_spectrum.hpp"

namespace fastaudio::dsp {

/// A complex FFT's stages: radix 4, 2, 3, 5, and primes to 13 by their definition.
class FftTables {
 public:
  static constexpr int kLargestPrime = 13;

  /// `size` >= 1, its prime factors at most kLargestPrime.
  explicit FftTables(int size);
  FftPlan plan() const;

 private:
  struct Stage {
    int radix;
    int length;
    std::vector<float> twiddle;
    std::vector<float> root;
  };

  int size_;
  std::vector<Stage> stages_;
  std::vector<std::int32_t> order_;
};

/// Immutable; share it between threads. A transform costs O(n log n) for every n.
class RealFft {
 public:
  /// `n_fft` >= 2.
  explicit RealFft(int n_fft);

  RealFft(const RealFft&) = delete;  // plans point into its tables
  RealFft& operator=(const RealFft&) = delete;

  /// Points into these tables, which must outlive it.
  RealFftPlan plan() const;

 private:
  int n_fft_;
  int points_;  ///< of the complex transform: n / 2 if n is even, else n
  bool chirped_;
  FftTables stages_;
  std::vector<std::int32_t> order_;
  std::vector<float> split_;
  std::vector<float> chirp_;
  std::vector<float> chirp_spectrum_;
};

}  // namespace fastaudio::dsp
