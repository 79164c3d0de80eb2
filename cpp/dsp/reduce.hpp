/// Sums in one fixed order, and extremes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fastaudio::dsp {

/// value(0) + ... + value(n - 1) in `parts` (a power of two) partial sums: the order depends on n
/// alone, and the compiler may use vectors.
template <class T, std::size_t parts = 8, class Value>
T sum(std::size_t n, Value&& value) {
  T part[parts] = {};
  std::size_t k = 0;
  for (; k + parts <= n; k += parts) {
    for (std::size_t j = 0; j < parts; ++j) part[j] += value(k + j);
  }
  for (std::size_t j = 0; k + j < n; ++j) part[j] += value(k + j);
  for (std::size_t half = parts / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) part[j] += part[j + half];
  }
  return part[0];
}

/// Sum of f(x).
template <class F>
double sum_of(const float* x, std::size_t n, F&& f) {
  return sum<double>(n, [&](std::size_t k) { return f(static_cast<double>(x[k])); });
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
