/// Does the transform of kernels_fft.hpp for a single frame. Lanes run along the butterflies of a stage, and
/// in the last stages along its blocks. Operations come in the same order, so that the bits are the same.
#pragma once

#include "dsp/kernels_fft.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

/// Loads the first `n` <= kLanes values of a vector; the others are 0.
inline Lanes load_first(const float* p, int n) {
  if (n == kLanes) return load(p);
  Lanes r = splat(0.0f);
  std::memcpy(&r, p, static_cast<std::size_t>(n) * sizeof(float));
  return r;
}
inline void store_first(float* p, Lanes a, int n) {
  std::memcpy(p, &a, static_cast<std::size_t>(n) * sizeof(float));
}

/// Computes a stage of one block whose real parts are in `re` and imaginary ones in `im`; lanes run along j.
template <int radix>
inline void stage_along(float* re, float* im, int part, const float* w) {
  for (int j = 0; j < part; j += kLanes) {
    const int n = part - j < kLanes ? part - j : kLanes;
    Complex a[radix];
    for (int q = 0; q < radix; ++q) {
      a[q] = {load_first(re + j + q * part, n), load_first(im + j + q * part, n)};
    }
    butterfly<radix>(a);
    for (int p = 0; p < radix; ++p) {
      Complex value = a[p];
      if (w != nullptr && p > 0) {
        const float* t = w + std::ptrdiff_t{2} * (p - 1) * part + j;
        value = times(value, load_first(t, n), load_first(t + part, n));
      }
      store_first(re + j + p * part, value.re, n);
      store_first(im + j + p * part, value.im, n);
    }
  }
}

/// Says whether `fft_single` can run all stages of a plan.
inline bool has_single(const RealFftPlan& plan) {
  return plan.chirp == nullptr && plan.fft.largest_radix == 1 && plan.n_fft % 2 == 0;
}

/// Transforms plan.size points in place; output k then lies at `order[k]`.
inline void fft_single(const FftPlan& plan, float* re, float* im) {
  int s = 0;
  for (; s < plan.n_stages && plan.length[s] / plan.radix[s] >= kLanes; ++s) {
    const int part = plan.length[s] / plan.radix[s];
    for (int start = 0; start < plan.size; start += plan.length[s]) {
      float* x = re + start;
      float* y = im + start;
      const float* w = plan.twiddle[s];
      if (plan.radix[s] == 2) stage_along<2>(x, y, part, w);
      if (plan.radix[s] == 3) stage_along<3>(x, y, part, w);
      if (plan.radix[s] == 4) stage_along<4>(x, y, part, w);
      if (plan.radix[s] == 5) stage_along<5>(x, y, part, w);
    }
  }
  if (s == plan.n_stages) return;
  const int length = plan.length[s];  // is below 5 * kLanes, as its stage's part is below kLanes
  alignas(64) float transposed[5 * kLanes][2][kLanes];
  for (int start = 0; start < plan.size; start += length * kLanes) {
    const int left = (plan.size - start) / length;
    const int blocks = left < kLanes ? left : kLanes;
    for (int l = 0; l < kLanes; ++l) {
      const int at = start + (l < blocks ? l : 0) * length;
      for (int i = 0; i < length; ++i) {
        transposed[i][0][l] = re[at + i];
        transposed[i][1][l] = im[at + i];
      }
    }
    fft(plan, s, plan.n_stages, reinterpret_cast<Complex*>(transposed), length, nullptr);
    for (int l = 0; l < blocks; ++l) {
      for (int i = 0; i < length; ++i) {
        re[start + l * length + i] = transposed[i][0][l];
        im[start + l * length + i] = transposed[i][1][l];
      }
    }
  }
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
