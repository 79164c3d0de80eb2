/// What nodes compute, written down by its definition: slow, plain, in double.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include "core/framer.hpp"
#include "helpers.hpp"

namespace fastaudio::test {

/// Frames one after another: pad the whole signal, then cut it.
inline Floats naive_frames(const Floats& x, const Framer::Options& o) {
  if (x.empty()) return {};
  const int n = static_cast<int>(x.size());
  Floats padded;
  for (int i = -o.pad; i < n + o.pad; ++i) {
    int at = i;
    while (o.reflect && n > 1 && (at < 0 || at >= n)) at = at < 0 ? -at : 2 * (n - 1) - at;
    if (o.reflect && n == 1) at = 0;
    padded.push_back(at < 0 || at >= n ? 0.0f : x[static_cast<std::size_t>(at)]);
  }
  const auto length = static_cast<std::size_t>(o.frame_length);
  if (padded.size() < length) padded.resize(length, 0.0f);
  Floats frames;
  for (std::size_t start = 0; start + length <= padded.size(); start += static_cast<std::size_t>(o.hop)) {
    const auto from = padded.begin() + static_cast<std::ptrdiff_t>(start);
    frames.insert(frames.end(), from, from + o.frame_length);
  }
  return frames;
}

/// |X|^2 of a real frame.
inline std::vector<double> dft_power(const Floats& x) {
  const std::size_t n = x.size();
  std::vector<double> cosine(n);
  std::vector<double> sine(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n);
    cosine[i] = std::cos(angle);
    sine[i] = std::sin(angle);
  }
  std::vector<double> power;
  for (std::size_t k = 0; k <= n / 2; ++k) {
    double re = 0;
    double im = 0;
    for (std::size_t i = 0, at = 0; i < n; ++i) {
      re += x[i] * cosine[at];
      im += x[i] * sine[at];
      at += k;
      if (at >= n) at -= n;
    }
    power.push_back(re * re + im * im);
  }
  return power;
}

}  // namespace fastaudio::test
