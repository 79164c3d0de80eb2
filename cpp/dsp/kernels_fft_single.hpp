/// Does the transform of kernels_fft.hpp for a single frame. Lanes run along the butterflies of a stage, in
/// the last stages along its blocks, then along the bins. Operations come in the same order, so that the bits
/// are the same.
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
  if (n == kLanes) return store(p, a);
  std::memcpy(p, &a, static_cast<std::size_t>(n) * sizeof(float));
}

/// Computes the butterflies j < n <= kLanes of a block; `whole` says that n is kLanes.
template <int radix, bool whole>
FASTAUDIO_INLINE void butterfly_along(float* re, float* im, int part, const float* w, int n) {
  const auto get = [n](const float* p) { return whole ? load(p) : load_first(p, n); };
  const auto put = [n](float* p, Lanes a) { return whole ? store(p, a) : store_first(p, a, n); };
  Complex a[radix];
  for (int q = 0; q < radix; ++q) a[q] = {get(re + q * part), get(im + q * part)};
  butterfly<radix>(a);
  put(re, a[0].re);
  put(im, a[0].im);
  for (int p = 1; p < radix; ++p) {
    const float* t = w + std::ptrdiff_t{2} * (p - 1) * part;
    const Complex value = times(a[p], get(t), get(t + part));
    put(re + p * part, value.re);
    put(im + p * part, value.im);
  }
}

/// Computes a stage of one block whose real parts are in `re` and imaginary ones in `im`; lanes run along j.
template <int radix>
inline void stage_along(float* re, float* im, int part, const float* w) {
  int j = 0;
  for (; j + kLanes <= part; j += kLanes) butterfly_along<radix, true>(re + j, im + j, part, w + j, kLanes);
  if (j < part) butterfly_along<radix, false>(re + j, im + j, part, w + j, part - j);
}

/// Says whether `fft_single` can run all stages of a plan.
inline bool has_single(const RealFftPlan& plan) {
  return plan.chirp == nullptr && plan.fft.largest_radix == 1 && plan.n_fft % 2 == 0;
}

/// Writes value i < `length` at each of the places at[lane] to out[i * stride + lane].
inline void gather_blocks(const float* const* at, int length, float* out, int stride) {
  int i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    Lanes square[kLanes];
    for (int l = 0; l < kLanes; ++l) square[l] = load(at[l] + i);
    transpose(square);
    for (int k = 0; k < kLanes; ++k) store(out + (i + k) * stride, square[k]);
  }
  for (; i < length; ++i) {
    for (int l = 0; l < kLanes; ++l) out[i * stride + l] = at[l][i];
  }
}

/// Transforms plan.size points to `re_out` and `im_out`, in their order; `re` and `im` are lost.
inline void fft_single(const FftPlan& plan, float* re, float* im, float* re_out, float* im_out) {
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
  // The last stages' length is below 5 * kLanes, as their first one's part is below kLanes. Outputs that
  // follow each other lie in different blocks, so with a block in each lane they are stored side by side.
  const int length = s == plan.n_stages ? 1 : plan.length[s];
  const int n_blocks = plan.size / length;
  alignas(64) float transposed[5 * kLanes][2][kLanes];
  for (int first = 0; first < n_blocks; first += kLanes) {
    const int n = n_blocks - first < kLanes ? n_blocks - first : kLanes;
    const float* at_re[kLanes];
    const float* at_im[kLanes];
    for (int l = 0; l < kLanes; ++l) {
      const std::int32_t place = plan.order[first + (l < n ? l : 0)];
      at_re[l] = re + place;
      at_im[l] = im + place;
    }
    gather_blocks(at_re, length, transposed[0][0], 2 * kLanes);
    gather_blocks(at_im, length, transposed[0][1], 2 * kLanes);
    fft(plan, s, plan.n_stages, reinterpret_cast<Complex*>(transposed), length, nullptr);
    for (int q = 0; q < length; ++q) {
      const int k = first + q * n_blocks;
      const std::int32_t place = plan.order[q * n_blocks];
      store_first(re_out + k, load(transposed[place][0]), n);
      store_first(im_out + k, load(transposed[place][1]), n);
    }
  }
}

/// Computes the power of all bins from the outputs of the half-length transform, as `split_bins` does.
inline void powers_single(const RealFftPlan& plan, const float* re, const float* im, float* powers) {
  const auto put = [&](int k, auto bin) { powers[k] = fma(bin.re, bin.re, bin.im * bin.im); };
  split_ends<float>(plan, {re[0], im[0]}, put);
  const int half = plan.points / 2;
  int k = 1;
  for (; k + kLanes - 1 <= half; k += kLanes) {
    const int last = plan.points - k - (kLanes - 1);
    const Lanes first_pairs = load(plan.split + 2 * k);
    const Lanes other_pairs = load(plan.split + 2 * k + kLanes);
    split_pair<Lanes>({load(re + k), load(im + k)}, {reversed(load(re + last)), reversed(load(im + last))},
                      {evens(first_pairs, other_pairs), odds(first_pairs, other_pairs)},
                      [&](bool mirrored, Complex bin) {
                        const Lanes power = fma(bin.re, bin.re, bin.im * bin.im);
                        store(powers + (mirrored ? last : k), mirrored ? reversed(power) : power);
                      });
  }
  for (; k <= half; ++k) {
    const int other = plan.points - k;
    split_pair<float>(plan, k, {re[k], im[k]}, {re[other], im[other]}, put);
  }
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
