/// `RealFft` holds the tables of a real FFT of any length.
#pragma once

#include <cstdint>
#include <vector>

#include "core/budget.hpp"
#include "dsp/kernels_spectrum.hpp"

namespace fastaudio::dsp {

/// Holds the stages of a complex FFT: radices 4, 2, 3, 5 have butterflies, primes up to 13 don't.
class FftTables {
 public:
  static constexpr int kLargestPrime = 13;

  /// Takes a `size` >= 1 whose prime factors are at most kLargestPrime.
  explicit FftTables(int size);
  FftPlan plan() const;

 private:
  struct Stage {
    int radix;
    int length;
    Table<float> twiddle;
    Table<float> root;
  };

  int size_;
  std::vector<Stage> stages_;
  Table<std::int32_t> order_;
};

/// It is immutable, so threads can share it. A transform costs O(n log n) for every n.
class RealFft {
 public:
  /// Takes an `n_fft` >= 2.
  explicit RealFft(int n_fft);

  RealFft(const RealFft&) = delete;  // plans point into its tables
  RealFft& operator=(const RealFft&) = delete;

  /// The plan points into these tables, which must outlive it.
  RealFftPlan plan() const;

 private:
  int n_fft_;
  int points_;  ///< points of the complex transform: n / 2 if n is even, otherwise n
  bool chirped_;
  FftTables stages_;
  Table<std::int32_t> order_;
  Table<float> split_;
  Table<float> chirp_;
  Table<float> chirp_spectrum_;
};

}  // namespace fastaudio::dsp
