/// Adds up values in one fixed order, and finds extremes.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fastaudio::dsp {

/// Returns value(0) + ... + value(n - 1), added up in `parts` (a power of two) partial sums: the order
/// depends on n alone, and the compiler may use vectors.
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

/// Returns the sum of f(x[k]).
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

/// Returns the value that `better(a, b)` prefers to all others; n > 0.
template <class Better>
float best_of(const float* x, std::size_t n, Better&& better) {
  constexpr std::size_t kParts = 16;
  float part[kParts];
  std::fill_n(part, kParts, x[0]);
  std::size_t i = 0;
  for (; i + kParts <= n; i += kParts) {
    for (std::size_t k = 0; k < kParts; ++k) part[k] = better(x[i + k], part[k]) ? x[i + k] : part[k];
  }
  for (; i < n; ++i) part[0] = better(x[i], part[0]) ? x[i] : part[0];
  for (const float value : part) part[0] = better(value, part[0]) ? value : part[0];
  return part[0];
}

inline float smallest(const float* x, std::size_t n) {
  return best_of(x, n, [](float a, float b) { return a < b; });
}
inline float largest(const float* x, std::size_t n) {
  return best_of(x, n, [](float a, float b) { return a > b; });
}

}  // namespace fastaudio::dsp
