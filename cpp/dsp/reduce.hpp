/// Sums and extremes of a row, in float64 and in one fixed order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fastaudio::dsp {

/// Sum of f(x) in eight partial sums, so that the compiler may use vectors without reordering.
template <class F>
double sum_of(const float* x, std::size_t n, F&& f) {
  constexpr std::size_t kSums = 8;
  double sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (std::size_t k = 0; k < kSums; ++k) sums[k] += f(static_cast<double>(x[i + k]));
  }
  for (; i < n; ++i) sums[i % kSums] += f(static_cast<double>(x[i]));
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

inline double sum(const float* x, std::size_t n) {
  return sum_of(x, n, [](double v) { return v; });
}

inline double sum_squares(const float* x, std::size_t n) {
  return sum_of(x, n, [](double v) { return v * v; });
}

inline float smallest(const float* x, std::size_t n) { return *std::min_element(x, x + n); }
inline float largest(const float* x, std::size_t n) { return *std::max_element(x, x + n); }

}  // namespace fastaudio::dsp
