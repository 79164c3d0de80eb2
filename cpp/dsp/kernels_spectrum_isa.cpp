// This file is compiled once per instruction set, each time with another FASTAUDIO_ISA; see lanes.hpp.
#include "dsp/kernels_spectrum.hpp"

#include <cmath>

#include "dsp/kernels_fft_single.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {
namespace {

/// Says where the frames of a batch lie; idle lanes repeat the first frame.
struct Frames {
  const float* at[kLanes];
  Frames(const float* samples, std::ptrdiff_t hop, int n_frames) {
    for (int l = 0; l < kLanes; ++l) at[l] = samples + (l < n_frames ? l : 0) * hop;
  }
};

/// Removes the mean, applies the pre-emphasis, and fills up to n_fft values with zeros.
void condition(const FramePlan& plan, int n_fft, const float* x, float* out) {
  const int n = plan.frame_length;
  float mean = 0;
  if (plan.remove_dc) {
    Lanes total = splat(0.0f);
    for (int i = 0; i < n; i += kLanes) total += load_first(x + i, n - i < kLanes ? n - i : kLanes);
    mean = sum(total) / static_cast<float>(n);
  }
  const float preemphasis = plan.preemphasis;
  out[0] = (x[0] - mean) - preemphasis * (x[0] - mean);
  for (int i = 1; i < n; ++i) out[i] = (x[i] - mean) - preemphasis * (x[i - 1] - mean);
  for (int i = n; i < n_fft; ++i) out[i] = 0;
}

/// Writes sample i of the windowed frames to out[i * stride]; lane l is frame l.
void gather(const float* window, const Frames& frames, int n_fft, Lanes* out, int stride) {
  int i = 0;
  for (; i + kLanes <= n_fft; i += kLanes) {
    Lanes square[kLanes];
    const Lanes w = load(window + i);
    for (int l = 0; l < kLanes; ++l) square[l] = load(frames.at[l] + i) * w;
    transpose(square);
    for (int k = 0; k < kLanes; ++k) out[(i + k) * stride] = square[k];
  }
  for (; i < n_fft; ++i) {
    Lanes column = splat(0.0f);
    for (int l = 0; l < kLanes; ++l) column[l] = frames.at[l][i] * window[i];
    out[i * stride] = column;
  }
}

template <class T>
inline T squared(ComplexOf<T> a) {
  return fma(a.re, a.re, a.im * a.im);
}

/// Writes the values of a spectrum, given its bins.
template <class T>
struct BinWriter {
  const SpectrumPlan& plan;
  T* values;
  FASTAUDIO_INLINE void operator()(int k, ComplexOf<T> bin) const {
    if (plan.is_complex) {
      values[2 * k] = bin.re;
      values[2 * k + 1] = bin.im;
    } else {
      values[k] = squared(bin);
    }
  }
};

/// Turns power into magnitude ** power.
void raise_power(const SpectrumPlan& plan, float* values, std::size_t n) {
  if (plan.is_complex || plan.power == 2.0f) return;
  if (plan.power == 1.0f) {
    for (std::size_t i = 0; i < n; ++i) values[i] = std::sqrt(values[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) values[i] = std::pow(values[i], plan.power / 2);
  }
}

/// Every fourth bin goes to the same one of four sums, so that none waits for another.
void filter_sums(const FilterPlan& plan, const Lanes* values, Lanes* sums) {
  for (int i = 0; i < plan.n_sums; ++i) {
    const float* weight = plan.weights + plan.offset[i];
    const int n = plan.offset[i + 1] - plan.offset[i];
    const Lanes* bin = values + plan.first[i];
    Lanes s[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
    int k = 0;
    for (; k + 4 <= n; k += 4) {
      for (int j = 0; j < 4; ++j) s[j] = fma(bin[k + j], splat(weight[k + j]), s[j]);
    }
    if (k < n) s[0] = fma(bin[k], splat(weight[k]), s[0]);
    if (k + 1 < n) s[1] = fma(bin[k + 1], splat(weight[k + 1]), s[1]);
    if (k + 2 < n) s[2] = fma(bin[k + 2], splat(weight[k + 2]), s[2]);
    sums[i] = (s[0] + s[1]) + (s[2] + s[3]);
  }
}

/// Does the same for one frame: its four sums are a vector.
void filter_sums_single(const FilterPlan& plan, const float* values, float* sums) {
  for (int i = 0; i < plan.n_sums; ++i) {
    const float* weight = plan.weights + plan.offset[i];
    const int n = plan.offset[i + 1] - plan.offset[i];
    const float* bin = values + plan.first[i];
    Four four = {0, 0, 0, 0};
    int k = 0;
    for (; k + 4 <= n; k += 4) four = fma_four(load_four(bin + k), load_four(weight + k), four);
    if (k < n) four = fma_four(load_four_first(bin + k, n - k), load_four_first(weight + k, n - k), four);
    sums[i] = (four[0] + four[1]) + (four[2] + four[3]);
  }
}

/// Copies values [any][lane] to rows [frame][value]; value i of a row is the one `at(i)`.
template <class At>
void scatter(const Lanes* values, const At& at, int n_values, int n_frames, float* rows) {
  int i = 0;
  for (; i + kLanes <= n_values; i += kLanes) {
    Lanes square[kLanes];
    for (int k = 0; k < kLanes; ++k) square[k] = values[at(i + k)];
    transpose(square);
    for (int l = 0; l < n_frames; ++l) store(rows + std::ptrdiff_t(l) * n_values + i, square[l]);
  }
  for (; i < n_values; ++i) {
    for (int l = 0; l < n_frames; ++l) rows[std::ptrdiff_t(l) * n_values + i] = values[at(i)][l];
  }
}

/// Windows one frame, packs it into complex points, and computes its row.
void spectrum_of_frame(const SpectrumPlan& plan, const FilterPlan& filter, const float* x, float* scratch,
                       float* row) {
  const RealFftPlan& real = plan.fft;
  float* re = scratch;
  float* im = re + real.points;
  float* re_out = im + real.points;
  float* im_out = re_out + real.points;
  float* values = filter.n_bands == 0 ? row : im_out + real.points;
  float* sums = values + plan.n_values();
  const float* w = plan.frame.window;
  int j = 0;
  for (; j + kLanes <= real.points; j += kLanes) {
    const Lanes first = load(x + 2 * j) * load(w + 2 * j);
    const Lanes second = load(x + 2 * j + kLanes) * load(w + 2 * j + kLanes);
    store(re + j, evens(first, second));
    store(im + j, odds(first, second));
  }
  for (; j < real.points; ++j) {
    re[j] = x[2 * j] * w[2 * j];
    im[j] = x[2 * j + 1] * w[2 * j + 1];
  }
  fft_single(real.fft, re, im, re_out, im_out);
  if (plan.is_complex) {
    const auto get = [&](int k) { return ComplexOf<float>{re_out[k], im_out[k]}; };
    split_bins<float>(real, get, BinWriter<float>{plan, values});
  } else {
    powers_single(real, re_out, im_out, values);
  }
  raise_power(plan, values, static_cast<std::size_t>(plan.n_values()));
  if (filter.n_bands == 0) return;
  const bool differ = filter.n_sums == filter.n_bands;  // each is its own sum, in order
  filter_sums_single(filter, values, differ ? row : sums);
  if (differ) return;
  for (int b = 0; b < filter.n_bands; ++b) row[b] = sums[filter.sum_of[b]];
}

/// Windows frames and computes the values of their spectra.
void spectra(const SpectrumPlan& plan, const Frames& frames, Complex* z, float* work, Lanes* values) {
  const RealFftPlan& real = plan.fft;
  const FftPlan& stages = real.fft;
  const float* window = plan.frame.window;
  const BinWriter<Lanes> put{plan, values};
  const auto get = [&](int k) { return z[real.order[k]]; };
  auto* spare = reinterpret_cast<Complex*>(work);
  if (real.n_fft % 2 != 0) {
    gather(window, frames, real.n_fft, reinterpret_cast<Lanes*>(z), 2);
    for (int i = 0; i < real.points; ++i) z[i].im = splat(0.0f);
    transform(real, z, work);
    for (int k = 0; k < real.n_bins; ++k) put(k, get(k));
    return;
  }
  if (real.chirp != nullptr) {
    gather(window, frames, real.n_fft, reinterpret_cast<Lanes*>(z), 1);
    transform(real, z, work);
    return split_bins<Lanes>(real, get, put);
  }
  const int last = stages.n_stages - 1;
  const int radix = last < 0 ? 1 : stages.radix[last];
  const bool fuse_last_stage = kRegisters >= 32 && radix > 1 && radix <= 5;
  gather(window, frames, real.n_fft, reinterpret_cast<Lanes*>(z), 1);
  fft(stages, 0, fuse_last_stage ? last : stages.n_stages, z, real.points, spare);
  if (!fuse_last_stage) return split_bins<Lanes>(real, get, put);
  if (radix == 2) return split_last_stage<2>(real, z, put);
  if (radix == 3) return split_last_stage<3>(real, z, put);
  if (radix == 4) return split_last_stage<4>(real, z, put);
  return split_last_stage<5>(real, z, put);
}

void spectrum_of_batch(const SpectrumPlan& plan, const FilterPlan& filter, const Frames& frames, int n_frames,
                       float* scratch, float* rows) {
  auto* z = reinterpret_cast<Complex*>(scratch);
  auto* values = reinterpret_cast<Lanes*>(z + plan.fft.points);
  Lanes* sums = values + plan.n_values();
  spectra(plan, frames, z, reinterpret_cast<float*>(sums + filter.n_sums), values);
  raise_power(plan, reinterpret_cast<float*>(values),
              static_cast<std::size_t>(plan.n_values()) * static_cast<std::size_t>(kLanes));
  if (filter.n_bands == 0) return scatter(values, [](int i) { return i; }, plan.n_values(), n_frames, rows);
  filter_sums(filter, values, sums);
  scatter(sums, [&](int b) { return filter.sum_of[b]; }, filter.n_bands, n_frames, rows);
}

}  // namespace

void spectrum(const SpectrumPlan& plan, const FilterPlan& filter, const float* samples, std::ptrdiff_t hop,
              int n_frames, float* scratch, float* rows) {
  const int n_fft = plan.fft.n_fft;
  if (plan.frame.needs_conditioning(n_fft)) {
    const std::ptrdiff_t step = (n_fft + 15) / 16 * 16;
    for (int t = 0; t < n_frames; ++t) condition(plan.frame, n_fft, samples + t * hop, scratch + t * step);
    samples = scratch;
    hop = step;
    scratch += step * kLanes;
  }
  constexpr int kFew = kLanes / 8;  // so few frames cost less one by one
  if (n_frames <= kFew && has_single(plan.fft)) {
    const int n_values = filter.n_bands > 0 ? filter.n_bands : plan.n_values();
    for (int t = 0; t < n_frames; ++t) {
      spectrum_of_frame(plan, filter, samples + t * hop, scratch, rows + std::ptrdiff_t(t) * n_values);
    }
    return;
  }
  spectrum_of_batch(plan, filter, Frames(samples, hop, n_frames), n_frames, scratch, rows);
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
