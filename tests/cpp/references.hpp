/// What nodes compute, written down by its definition: slow, plain, in double.
#pragma once

#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "core/framer.hpp"
#include "helpers.hpp"

namespace fastaudio::test {

/// Frames one after another: pad the whole signal, then cut it.
inline Floats naive_frames(const Floats& x, const Framer::Options& o) {
  if (x.empty()) return {};
  const int n = static_cast<int>(x.size());
  const int apart = o.edge == Framer::Edge::reflect ? 1 : 0;
  Floats padded;
  for (int i = -o.pad_left; i < n + o.pad_right; ++i) {
    int at = i;
    if (o.edge != Framer::Edge::zeros) {
      if (n == 1) at = 0;
      while (at < 0 || at >= n) at = at < 0 ? apart - 1 - at : 2 * n - 1 - apart - at;
    }
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

using Bins = std::vector<std::complex<double>>;

/// Discrete Fourier transform of a power of two values.
inline Bins radix2_dft(const Bins& x) {
  const std::size_t half = x.size() / 2;
  if (half == 0) return x;
  Bins even(half);
  Bins odd(half);
  for (std::size_t i = 0; i < half; ++i) {
    even[i] = x[2 * i];
    odd[i] = x[2 * i + 1];
  }
  even = radix2_dft(even);
  odd = radix2_dft(odd);
  Bins bins(x.size());
  for (std::size_t k = 0; k < half; ++k) {
    const double angle = -std::numbers::pi * static_cast<double>(k) / static_cast<double>(half);
    const auto turned = std::polar(1.0, angle) * odd[k];
    bins[k] = even[k] + turned;
    bins[k + half] = even[k] - turned;
  }
  return bins;
}

/// Bins 0 to n / 2 of a real frame of any length, through a convolution with a chirp.
inline Bins dft(const Floats& x) {
  const std::size_t n = x.size();
  const auto chirp = [n](std::size_t k) {
    return std::polar(1.0, -std::numbers::pi * static_cast<double>(k * k % (2 * n)) / static_cast<double>(n));
  };
  const std::size_t size = std::bit_ceil(2 * n);
  Bins signal(size);
  Bins kernel(size);
  for (std::size_t k = 0; k < n; ++k) {
    signal[k] = chirp(k) * double{x[k]};
    kernel[k] = kernel[(size - k) % size] = std::conj(chirp(k));
  }
  signal = radix2_dft(signal);
  kernel = radix2_dft(kernel);
  // A transform twice over reverses the order: that stands for the inverse.
  for (std::size_t k = 0; k < size; ++k) signal[k] *= kernel[k] / static_cast<double>(size);
  signal = radix2_dft(signal);
  Bins bins(n / 2 + 1);
  for (std::size_t k = 0; k < bins.size(); ++k) bins[k] = chirp(k) * signal[(size - k) % size];
  return bins;
}

}  // namespace fastaudio::test
