/// What nodes compute, written down by its definition: slow, plain, in double.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "core/rows/framer.hpp"
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
    if (o.edge == Framer::Edge::hold) {
      at = std::clamp(i, 0, n - 1);
    } else if (o.edge != Framer::Edge::zeros) {
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

/// exp(-i pi k / n)
inline std::complex<double> half_root(std::size_t k, std::size_t n) {
  return std::polar(1.0, -std::numbers::pi * static_cast<double>(k) / static_cast<double>(n));
}

/// Transform of real frames of any length `n` in O(n log n), through a convolution with a chirp.
class Dft {
 public:
  explicit Dft(std::size_t n) : n_(n), size_(std::bit_ceil(2 * n)), kernel_(size_) {
    for (std::size_t k = 0; k < size_ / 2; ++k) roots_.push_back(half_root(2 * k, size_));
    for (std::size_t k = 0; k < n; ++k) chirp_.push_back(half_root(k * k % (2 * n), n));
    for (std::size_t k = 0; k < n; ++k) kernel_[k] = kernel_[(size_ - k) % size_] = std::conj(chirp_[k]);
    kernel_ = radix2(kernel_);
  }

  /// Bins 0 to n / 2.
  Bins operator()(const Floats& x) const {
    Bins signal(size_);
    for (std::size_t k = 0; k < n_; ++k) signal[k] = chirp_[k] * double{x[k]};
    signal = radix2(signal);
    for (std::size_t k = 0; k < size_; ++k) signal[k] *= kernel_[k] / static_cast<double>(size_);
    signal = radix2(signal);  // the inverse, but for the order
    Bins bins(n_ / 2 + 1);
    for (std::size_t k = 0; k < bins.size(); ++k) bins[k] = chirp_[k] * signal[(size_ - k) % size_];
    return bins;
  }

 private:
  Bins radix2(const Bins& x) const {
    Bins bins(size_);
    radix2(x.data(), 1, bins.data(), size_);
    return bins;
  }

  /// The same for every `step`th value of `x`.
  void radix2(const std::complex<double>* x, std::size_t step, std::complex<double>* bins,
              std::size_t size) const {
    bins[0] = *x;
    if (size == 1) return;
    const std::size_t half = size / 2;
    radix2(x, 2 * step, bins, half);
    radix2(x + step, 2 * step, bins + half, half);
    for (std::size_t k = 0; k < half; ++k) {
      const auto even = bins[k];
      const auto odd = roots_[k * step] * bins[k + half];
      bins[k] = even + odd;
      bins[k + half] = even - odd;
    }
  }

  std::size_t n_;
  std::size_t size_;
  Bins roots_;  ///< exp(-2 pi i k / size)
  Bins chirp_;
  Bins kernel_;
};

}  // namespace fastaudio::test
