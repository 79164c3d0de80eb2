/// A mixed-radix FFT over lanes that works in place. Only kernel sources include it, see lanes.hpp.
///
/// Every product that is added to something is an explicit `fma`, so that the same expression rounds alike
/// wherever it is compiled: a single frame takes other loops, and has to get the same bits.
#pragma once

#include "dsp/kernels_spectrum.hpp"
#include "simd/lanes.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

using namespace simd::FASTAUDIO_ISA;

/// `T` is Lanes or float.
template <class T>
struct ComplexOf {
  T re, im;
  friend ComplexOf operator+(ComplexOf a, ComplexOf b) { return {a.re + b.re, a.im + b.im}; }
  friend ComplexOf operator-(ComplexOf a, ComplexOf b) { return {a.re - b.re, a.im - b.im}; }
};
using Complex = ComplexOf<Lanes>;

template <class T>
inline T broadcast(float x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return x;
  } else {
    return splat(x);
  }
}
template <class T>
inline ComplexOf<T> scale(ComplexOf<T> a, T s) {
  return {a.re * s, a.im * s};
}
/// Returns c + a * s.
template <class T>
inline ComplexOf<T> add_scaled(ComplexOf<T> c, ComplexOf<T> a, T s) {
  return {fma(a.re, s, c.re), fma(a.im, s, c.im)};
}
template <class T>
inline ComplexOf<T> times(ComplexOf<T> a, T re, T im) {
  return {fnma(a.im, im, a.re * re), fma(a.im, re, a.re * im)};
}
inline Complex times(Complex a, const float* w) { return times(a, splat(w[0]), splat(w[1])); }
template <class T>
inline ComplexOf<T> swapped(ComplexOf<T> a) {
  return {a.im, a.re};
}
/// Return a - i b and a + i b.
inline Complex minus_i(Complex a, Complex b) { return {a.re + b.im, a.im - b.re}; }
inline Complex plus_i(Complex a, Complex b) { return {a.re - b.im, a.im + b.re}; }

template <int radix>
FASTAUDIO_INLINE void butterfly(Complex* a);

template <>
FASTAUDIO_INLINE void butterfly<2>(Complex* a) {
  const Complex t = a[0] - a[1];
  a[0] = a[0] + a[1];
  a[1] = t;
}

template <>
FASTAUDIO_INLINE void butterfly<3>(Complex* a) {
  const Lanes sine = splat(0.866025403784438647f);  // sin(2 pi / 3)
  const Complex sum = a[1] + a[2];
  const Complex turn = scale(a[1] - a[2], sine);
  const Complex mid = add_scaled(a[0], sum, splat(-0.5f));
  a[0] = a[0] + sum;
  a[1] = minus_i(mid, turn);
  a[2] = plus_i(mid, turn);
}

template <>
FASTAUDIO_INLINE void butterfly<4>(Complex* a) {
  const Complex even = a[0] + a[2];
  const Complex even_diff = a[0] - a[2];
  const Complex odd = a[1] + a[3];
  const Complex odd_diff = a[1] - a[3];
  a[0] = even + odd;
  a[1] = minus_i(even_diff, odd_diff);
  a[2] = even - odd;
  a[3] = plus_i(even_diff, odd_diff);
}

template <>
FASTAUDIO_INLINE void butterfly<5>(Complex* a) {
  const Lanes cos1 = splat(0.309016994374947424f);   // cos(2 pi / 5)
  const Lanes cos2 = splat(-0.809016994374947424f);  // cos(4 pi / 5)
  const Lanes sin1 = splat(0.951056516295153572f);
  const Lanes sin2 = splat(0.587785252292473129f);
  const Complex s1 = a[1] + a[4];
  const Complex d1 = a[1] - a[4];
  const Complex s2 = a[2] + a[3];
  const Complex d2 = a[2] - a[3];
  const Complex m1 = add_scaled(add_scaled(a[0], s1, cos1), s2, cos2);
  const Complex m2 = add_scaled(add_scaled(a[0], s1, cos2), s2, cos1);
  const Complex t1 = add_scaled(scale(d1, sin1), d2, sin2);
  const Complex t2 = add_scaled(scale(d1, sin2), d2, splat(0.0f) - sin1);
  a[0] = a[0] + s1 + s2;
  a[1] = minus_i(m1, t1);
  a[2] = minus_i(m2, t2);
  a[3] = plus_i(m2, t2);
  a[4] = plus_i(m1, t1);
}

/// Returns element (row, j) of a stage's twiddles, which have `part` elements per row.
inline Complex twiddle_at(const float* w, int row, int part, int j) {
  const float* re = w + std::ptrdiff_t{2} * row * part + j;
  return {splat(re[0]), splat(re[part])};
}

/// Computes one butterfly of points that are `part` apart; `turns` says whether its outputs have twiddles.
template <int radix, bool turns>
FASTAUDIO_INLINE void butterfly_at(Complex* at, int part, const float* w) {
  Complex a[radix];
  for (int q = 0; q < radix; ++q) {
    a[q] = at[q * part];
    if constexpr (radix <= 4) {  // more don't fit into 16 registers
      keep(a[q].re);
      keep(a[q].im);
    }
  }
  butterfly<radix>(a);
  at[0] = a[0];
  for (int p = 1; p < radix; ++p) {
    Complex value = a[p];
    if constexpr (turns) {
      const Complex t = twiddle_at(w, p - 1, part, 0);
      value = times(value, t.re, t.im);
    }
    at[p * part] = value;
  }
}

/// Each block of radix * part points becomes `radix` blocks (decimation in frequency).
template <int radix>
inline void stage(Complex* z, int size, int part, const float* w) {
  const Complex* end = z + size;
  if (w == nullptr) {
    for (; z < end; z += radix) butterfly_at<radix, false>(z, 1, w);
    return;
  }
  for (; z < end; z += radix * part) {
    for (int j = 0; j < part; ++j) butterfly_at<radix, true>(z + j, part, w + j);
  }
}

/// Does the same for any radix, by the definition of the transform; `a` has room for `radix` values.
inline void stage_by_definition(Complex* block, int radix, int part, const float* w, const float* root,
                                Complex* a) {
  for (int j = 0; j < part; ++j) {
    for (int q = 0; q < radix; ++q) a[q] = block[j + q * part];
    for (int p = 0; p < radix; ++p) {
      Complex total = a[0];
      for (int q = 1, k = p; q < radix; ++q) {
        const Lanes re = splat(root[2 * k]);
        const Lanes im = splat(root[2 * k + 1]);
        total.re = fnma(a[q].im, im, fma(a[q].re, re, total.re));
        total.im = fma(a[q].im, re, fma(a[q].re, im, total.im));
        k += p;
        if (k >= radix) k -= radix;
      }
      if (w != nullptr && p > 0) {
        const Complex t = twiddle_at(w, p - 1, part, j);
        total = times(total, t.re, t.im);
      }
      block[j + p * part] = total;
    }
  }
}

/// Runs stage `s` on all blocks of `size` points.
inline void run_stage(const FftPlan& plan, int s, Complex* z, int size, Complex* spare) {
  const int length = plan.length[s];
  const int part = length / plan.radix[s];
  const float* w = plan.twiddle[s];
  switch (plan.radix[s]) {
    case 2:
      return stage<2>(z, size, part, w);
    case 3:
      return stage<3>(z, size, part, w);
    case 4:
      return stage<4>(z, size, part, w);
    case 5:
      return stage<5>(z, size, part, w);
    default:
      for (int start = 0; start < size; start += length) {
        stage_by_definition(z + start, plan.radix[s], part, w, plan.root[s], spare);
      }
  }
}

/// Runs the stages from `s` until `end` over `size` points; after the last, output k lies at the plan's
/// `order[k]`. It goes depth first until a block fits into the first-level cache. `spare` has room for as
/// many values as the plan's largest radix.
inline void fft(const FftPlan& plan, int s, int end, Complex* z, int size, Complex* spare) {
  constexpr int kCachePoints = 16384 / static_cast<int>(sizeof(Complex));
  for (; s < end; ++s) {
    const int length = plan.length[s];
    if (size > length && size > kCachePoints) {
      for (int start = 0; start < size; start += length) fft(plan, s, end, z + start, length, spare);
      return;
    }
    run_stage(plan, s, z, size, spare);
  }
}

/// Transforms any number of points in place, as a convolution with a chirp; `work` has room for 2 * fft.size.
inline void bluestein(const RealFftPlan& plan, Complex* z, Complex* work, Complex* spare) {
  const int size = plan.fft.size;
  const Complex zero{splat(0.0f), splat(0.0f)};
  for (int k = 0; k < plan.points; ++k) work[k] = times(z[k], plan.chirp + 2 * k);
  for (int k = plan.points; k < size; ++k) work[k] = zero;
  fft(plan.fft, 0, plan.fft.n_stages, work, size, spare);
  Complex* product = work + size;
  for (int k = 0; k < size; ++k) {
    // Swapping real and imaginary parts before and after turns the forward transform into the inverse one.
    product[k] = swapped(times(work[plan.fft.order[k]], plan.chirp_spectrum + 2 * k));
  }
  fft(plan.fft, 0, plan.fft.n_stages, product, size, spare);
  for (int k = 0; k < plan.points; ++k) {
    z[k] = times(swapped(product[plan.fft.order[k]]), plan.chirp + 2 * k);
  }
}

/// Transforms all `points` in place; output k then lies at the plan's `order[k]`.
inline void transform(const RealFftPlan& plan, Complex* z, float* work) {
  auto* spare = reinterpret_cast<Complex*>(work);
  if (plan.chirp == nullptr) return fft(plan.fft, 0, plan.fft.n_stages, z, plan.points, spare);
  bluestein(plan, z, spare + plan.fft.largest_radix, spare);
}

/// Computes twice bins k and n / 2 - k of a real frame of even length, k <= n / 4, from the outputs of the
/// same numbers of its half-length complex transform, and passes them on as put(false, bin k) and put(true,
/// the other). The window is halved to make up for it, at no cost.
template <class T, class Put>
FASTAUDIO_INLINE void split_pair(ComplexOf<T> a, ComplexOf<T> b, ComplexOf<T> twiddle, const Put& put) {
  const ComplexOf<T> even{a.re + b.re, a.im - b.im};
  const ComplexOf<T> odd{a.im + b.im, b.re - a.re};
  const ComplexOf<T> turned = times(odd, twiddle.re, twiddle.im);
  put(false, even + turned);
  put(true, ComplexOf<T>{even.re - turned.re, turned.im - even.im});
}

/// Does so with the twiddle of bin k; `put(k, bin)` takes bin k.
template <class T, class Put>
FASTAUDIO_INLINE void split_pair(const RealFftPlan& plan, int k, ComplexOf<T> a, ComplexOf<T> b,
                                 const Put& put) {
  const ComplexOf<T> twiddle{broadcast<T>(plan.split[2 * k]), broadcast<T>(plan.split[2 * k + 1])};
  split_pair(a, b, twiddle,
             [&](bool mirrored, ComplexOf<T> bin) { put(mirrored ? plan.points - k : k, bin); });
}

/// Computes twice bins 0 and n / 2 from output 0.
template <class T, class Put>
FASTAUDIO_INLINE void split_ends(const RealFftPlan& plan, ComplexOf<T> dc, const Put& put) {
  const T low = dc.re + dc.im;
  const T high = dc.re - dc.im;
  put(0, ComplexOf<T>{low + low, broadcast<T>(0.0f)});
  put(plan.points, ComplexOf<T>{high + high, broadcast<T>(0.0f)});
}

/// Computes all bins: `get(k)` reads output k, `put(k, bin)` takes bin k.
template <class T, class Get, class Put>
inline void split_bins(const RealFftPlan& plan, const Get& get, const Put& put) {
  split_ends<T>(plan, get(0), put);
  for (int k = 1; 2 * k <= plan.points; ++k) split_pair<T>(plan, k, get(k), get(plan.points - k), put);
}

/// Computes outputs r + p * part of the last stage, p < radix, which its block r holds.
template <int radix>
FASTAUDIO_INLINE void last_butterfly(const RealFftPlan& plan, const Complex* z, int r, Complex* a) {
  for (int q = 0; q < radix; ++q) a[q] = z[plan.order[r] + q];
  butterfly<radix>(a);
}

/// Does the last stage and `split_bins` in one pass. The partners of block r are those of block part - r in
/// reverse.
template <int radix, class Put>
inline void split_last_stage(const RealFftPlan& plan, const Complex* z, const Put& put) {
  const int part = plan.points / radix;
  Complex a[radix];
  last_butterfly<radix>(plan, z, 0, a);
  split_ends(plan, a[0], put);
  for (int p = 1; 2 * p <= radix; ++p) split_pair(plan, p * part, a[p], a[radix - p], put);
  for (int r = 1; 2 * r < part; ++r) {
    Complex b[radix];
    last_butterfly<radix>(plan, z, r, a);
    last_butterfly<radix>(plan, z, part - r, b);
    for (int p = 0; 2 * p < radix; ++p) split_pair(plan, r + p * part, a[p], b[radix - 1 - p], put);
    for (int p = 0; 2 * p < radix - 1; ++p)
      split_pair(plan, part - r + p * part, b[p], a[radix - 1 - p], put);
  }
  if (part % 2 != 0) return;
  last_butterfly<radix>(plan, z, part / 2, a);
  for (int p = 0; 2 * p < radix; ++p) split_pair(plan, part / 2 + p * part, a[p], a[radix - 1 - p], put);
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
