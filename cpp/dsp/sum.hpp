/// A sum whose order depends on its length alone, and that compilers can vectorise.
#pragma once

#include <cstddef>

namespace fastaudio::dsp {

/// value(0) + ... + value(n - 1), in `parts` (a power of two) partial sums.
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

}  // namespace fastaudio::dsp
