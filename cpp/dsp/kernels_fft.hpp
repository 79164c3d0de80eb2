/// In-place mixed-radix FFT over lanes; part of a kernel source, see lanes.hpp.
#pragma once

#include "dsp/kernels.hpp"
#include "simd/lanes.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

using namespace simd::FASTAUDIO_ISA;

struct Complex {
  Lanes re, im;
};

inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline Complex scale(Complex a, float s) { return {a.re * splat(s), a.im * splat(s)}; }
inline Complex times_minus_i(Complex a) { return {a.im, splat(0.0f) - a.re}; }
inline Complex twiddle(Complex a, const float* w) {
  const Lanes re = splat(w[0]);
  const Lanes im = splat(w[1]);
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}

template <int radix>
inline void butterfly(Complex* a);

template <>
inline void butterfly<2>(Complex* a) {
  const Complex t = a[0] - a[1];
  a[0] = a[0] + a[1];
  a[1] = t;
}

template <>
inline void butterfly<3>(Complex* a) {
  constexpr float kSin = 0.866025403784438647f;  // sin(2 pi / 3)
  const Complex sum = a[1] + a[2];
  const Complex turn = times_minus_i(scale(a[1] - a[2], kSin));
  const Complex mid = a[0] - scale(sum, 0.5f);
  a[0] = a[0] + sum;
  a[1] = mid + turn;
  a[2] = mid - turn;
}

template <>
inline void butterfly<4>(Complex* a) {
  const Complex even = a[0] + a[2];
  const Complex even_diff = a[0] - a[2];
  const Complex odd = a[1] + a[3];
  const Complex odd_turn = times_minus_i(a[1] - a[3]);
  a[0] = even + odd;
  a[1] = even_diff + odd_turn;
  a[2] = even - odd;
  a[3] = even_diff - odd_turn;
}

template <>
inline void butterfly<5>(Complex* a) {
  constexpr float kCos1 = 0.309016994374947424f;   // cos(2 pi / 5)
  constexpr float kCos2 = -0.809016994374947424f;  // cos(4 pi / 5)
  constexpr float kSin1 = 0.951056516295153572f;
  constexpr float kSin2 = 0.587785252292473129f;
  const Complex s1 = a[1] + a[4];
  const Complex d1 = a[1] - a[4];
  const Complex s2 = a[2] + a[3];
  const Complex d2 = a[2] - a[3];
  const Complex m1 = a[0] + scale(s1, kCos1) + scale(s2, kCos2);
  const Complex m2 = a[0] + scale(s1, kCos2) + scale(s2, kCos1);
  const Complex t1 = times_minus_i(scale(d1, kSin1) + scale(d2, kSin2));
  const Complex t2 = times_minus_i(scale(d1, kSin2) - scale(d2, kSin1));
  a[0] = a[0] + s1 + s2;
  a[1] = m1 + t1;
  a[2] = m2 + t2;
  a[3] = m2 - t2;
  a[4] = m1 - t1;
}

/// One stage: every block of `length` points becomes `radix` blocks (decimation in frequency).
template <int radix>
inline void stage(Complex* z, int size, int length, const float* w) {
  const int part = length / radix;
  for (Complex* block = z; block < z + size; block += length) {
    for (int j = 0; j < part; ++j) {
      Complex a[radix];
      for (int q = 0; q < radix; ++q) a[q] = block[j + q * part];
      butterfly<radix>(a);
      block[j] = a[0];
      for (int p = 1; p < radix; ++p) {
        block[j + p * part] = w ? twiddle(a[p], w + 2 * (j * (radix - 1) + p - 1)) : a[p];
      }
    }
  }
}

/// Any radix by its definition; `a` holds `radix` values.
inline void stage_any(Complex* z, int size, int length, int radix, const float* w, const float* root,
                      Complex* a) {
  const int part = length / radix;
  for (Complex* block = z; block < z + size; block += length) {
    for (int j = 0; j < part; ++j) {
      for (int q = 0; q < radix; ++q) a[q] = block[j + q * part];
      for (int p = 0; p < radix; ++p) {
        Complex total = a[0];
        for (int q = 1, k = p; q < radix; ++q) {
          total = total + twiddle(a[q], root + 2 * k);
          k += p;
          if (k >= radix) k -= radix;
        }
        block[j + p * part] = (w && p) ? twiddle(total, w + 2 * (j * (radix - 1) + p - 1)) : total;
      }
    }
  }
}

/// Transforms `size` points in place; output k lies at the plan's `order[k]`.
inline void fft(const FftStages& plan, Complex* z, int size, Complex* scratch) {
  for (int s = 0; s < plan.n_stages; ++s) {
    const int length = plan.length[s];
    const float* w = plan.twiddle[s];
    switch (plan.radix[s]) {
      case 2:
        stage<2>(z, size, length, w);
        break;
      case 3:
        stage<3>(z, size, length, w);
        break;
      case 4:
        stage<4>(z, size, length, w);
        break;
      case 5:
        stage<5>(z, size, length, w);
        break;
      default:
        stage_any(z, size, length, plan.radix[s], w, plan.root[s], scratch);
    }
  }
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
