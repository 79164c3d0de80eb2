// Compiled once per instruction set, each time with another FASTAUDIO_ISA; see lanes.hpp.
#include "dsp/kernels_spectrum.hpp"

#include <cmath>

#include "dsp/kernels_single.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {
namespace {

/// Where the frames of a batch lie; idle lanes repeat the first.
struct Frames {
  const float* at[kLanes];
  Frames(const float* samples, std::ptrdiff_t hop, int n_frames) {
    for (int l = 0; l < kLanes; ++l) at[l] = samples + (l < n_frames ? l : 0) * hop;
  }
};

/// A frame's own conditioning, to n_fft values.
void condition(const FramePlan& plan, int n_fft, const float* x, float* out) {
  const int n = plan.frame_length;
  float mean = 0;
  if (plan.remove_dc) {
    Lanes total = splat(0.0f);
    for (int i = 0; i < n; i += kLanes) total += load_first(x + i, n - i < kLanes ? n - i : kLanes);
    mean = sum(total) / static_cast<float>(n);
  }
  const float keep = plan.preemphasis;
  out[0] = (x[0] - mean) - keep * (x[0] - mean);
  for (int i = 1; i < n; ++i) out[i] = (x[i] - mean) - keep * (x[i - 1] - mean);
  for (int i = n; i < n_fft; ++i) out[i] = 0;
}

/// kLanes neighbouring samples of each frame, windowed, lane l being frame l.
inline void load_square(const Frames& frames, const float* window, int i, Lanes* square) {
  const Lanes w = load(window + i);
  for (int l = 0; l < kLanes; ++l) square[l] = load(frames.at[l] + i) * w;
  transpose(square);
}

/// Sample i of the windowed frames to out[i * stride].
void gather(const float* window, const Frames& frames, int n_fft, Lanes* out, int stride) {
  int i = 0;
  for (; i + kLanes <= n_fft; i += kLanes) {
    Lanes square[kLanes];
    load_square(frames, window, i, square);
    for (int k = 0; k < kLanes; ++k) out[(i + k) * stride] = square[k];
  }
  for (; i < n_fft; ++i) {
    Lanes column = splat(0.0f);
    for (int l = 0; l < kLanes; ++l) column[l] = frames.at[l][i] * window[i];
    out[i * stride] = column;
  }
}

/// `gather` and the first stage in one pass. Even samples are real parts and odd ones imaginary.
template <int radix>
void gather_stage(const FftPlan& plan, const float* window, const Frames& frames, Complex* z) {
  constexpr int kStep = kLanes / 2;
  const int part = plan.size / radix;
  const float* w = plan.twiddle[0];
  for (int start = 0; start < part; start += kStep) {
    // The last points may be computed twice, from the samples both times.
    const int j = start + kStep <= part ? start : part - kStep;
    Lanes square[radix][kLanes];
    for (int q = 0; q < radix; ++q) load_square(frames, window, 2 * (j + q * part), square[q]);
    for (int k = 0; k < kStep; ++k) {
      Complex a[radix];
      for (int q = 0; q < radix; ++q) a[q] = {square[q][2 * k], square[q][2 * k + 1]};
      butterfly<radix>(a);
      z[j + k] = a[0];
      for (int p = 1; p < radix; ++p) {
        const Complex t = twiddle_at(w, p - 1, part, j + k);
        z[j + k + p * part] = times(a[p], t.re, t.im);
      }
    }
  }
}

/// Windowed frames to the outputs of the complex transform.
void transform_frames(const RealFftPlan& plan, const float* window, const Frames& frames, Complex* z,
                      float* work) {
  const FftPlan& stages = plan.fft;
  auto* spare = reinterpret_cast<Complex*>(work);
  const bool even = plan.n_fft % 2 == 0;
  if (even && plan.chirp == nullptr && stages.n_stages > 1 && stages.length[1] >= kLanes / 2) {
    if (stages.radix[0] == 4) {
      gather_stage<4>(stages, window, frames, z);
      return fft(stages, 1, z, plan.points, spare);
    }
    if (stages.radix[0] == 5) {
      gather_stage<5>(stages, window, frames, z);
      return fft(stages, 1, z, plan.points, spare);
    }
  }
  gather(window, frames, plan.n_fft, reinterpret_cast<Lanes*>(z), even ? 1 : 2);
  if (!even) {
    for (int i = 0; i < plan.points; ++i) z[i].im = splat(0.0f);
  }
  transform(plan, z, work);
}

template <class T>
inline T squared(ComplexOf<T> a) {
  return fma(a.re, a.re, a.im * a.im);
}

/// The values of a spectrum from its bins.
template <class T>
struct Put {
  const SpectrumPlan& plan;
  T* values;
  void operator()(int k, ComplexOf<T> bin) const {
    if (plan.is_complex) {
      values[2 * k] = bin.re;
      values[2 * k + 1] = bin.im;
    } else {
      values[k] = squared(bin);
    }
  }
};

/// From power to magnitude ** power.
void raise_power(const SpectrumPlan& plan, float* values, std::size_t n) {
  if (plan.is_complex || plan.power == 2.0f) return;
  if (plan.power == 1.0f) {
    for (std::size_t i = 0; i < n; ++i) values[i] = std::sqrt(values[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) values[i] = std::pow(values[i], plan.power / 2);
  }
}

template <class T>
void filter_bands(const FilterPlan& plan, const T* values, T* bands) {
  for (int b = 0; b < plan.n_bands; ++b) {
    const float* weight = plan.weights + plan.offset[b];
    const int n = plan.offset[b + 1] - plan.offset[b];
    const T* bin = values + plan.first[b];
    T total = all<T>(0.0f);
    for (int k = 0; k < n; ++k) total = fma(bin[k], all<T>(weight[k]), total);
    bands[b] = total;
  }
}

/// [value][lane] to rows [frame][value].
void scatter(const Lanes* values, int n_values, int n_frames, float* rows) {
  int i = 0;
  for (; i + kLanes <= n_values; i += kLanes) {
    Lanes square[kLanes];
    for (int k = 0; k < kLanes; ++k) square[k] = values[i + k];
    transpose(square);
    for (int l = 0; l < n_frames; ++l) store(rows + std::ptrdiff_t(l) * n_values + i, square[l]);
  }
  for (; i < n_values; ++i) {
    for (int l = 0; l < n_frames; ++l) rows[std::ptrdiff_t(l) * n_values + i] = values[i][l];
  }
}

/// One frame, windowed and packed into complex points, to its row.
void single(const SpectrumPlan& plan, const FilterPlan& filter, const float* x, float* scratch, float* row) {
  const RealFftPlan& real = plan.fft;
  float* re = scratch;
  float* im = re + real.points;
  float* values = filter.n_bands == 0 ? row : im + real.points;
  const float* w = plan.frame.window;
  for (int j = 0; j < real.points; ++j) {
    re[j] = x[2 * j] * w[2 * j];
    im[j] = x[2 * j + 1] * w[2 * j + 1];
  }
  fft_single(real.fft, re, im);
  const auto get = [&](int k) { return ComplexOf<float>{re[real.order[k]], im[real.order[k]]}; };
  split_bins<float>(real, get, Put<float>{plan, values});
  raise_power(plan, values, static_cast<std::size_t>(plan.n_values()));
  if (filter.n_bands > 0) filter_bands(filter, values, row);
}

void batch(const SpectrumPlan& plan, const FilterPlan& filter, const Frames& frames, int n_frames,
           float* scratch, float* rows) {
  const RealFftPlan& real = plan.fft;
  auto* z = reinterpret_cast<Complex*>(scratch);
  auto* values = reinterpret_cast<Lanes*>(z + real.points);
  Lanes* bands = values + plan.n_values();
  auto* work = reinterpret_cast<float*>(bands + filter.n_bands);
  transform_frames(real, plan.frame.window, frames, z, work);
  const auto get = [&](int k) { return z[real.order[k]]; };
  const Put<Lanes> put{plan, values};
  if (real.n_fft % 2 == 0) {
    split_bins<Lanes>(real, get, put);
  } else {
    for (int k = 0; k < real.n_bins; ++k) put(k, get(k));
  }
  raise_power(plan, reinterpret_cast<float*>(values),
              static_cast<std::size_t>(plan.n_values()) * static_cast<std::size_t>(kLanes));
  if (filter.n_bands == 0) return scatter(values, plan.n_values(), n_frames, rows);
  filter_bands(filter, values, bands);
  scatter(bands, filter.n_bands, n_frames, rows);
}

}  // namespace

void spectrum(const SpectrumPlan& plan, const FilterPlan& filter, const float* samples, std::ptrdiff_t hop,
              int n_frames, float* scratch, float* rows) {
  const int n_fft = plan.fft.n_fft;
  if (!plan.frame.plain(n_fft)) {
    const std::ptrdiff_t step = (n_fft + 15) / 16 * 16;
    for (int t = 0; t < n_frames; ++t) condition(plan.frame, n_fft, samples + t * hop, scratch + t * step);
    samples = scratch;
    hop = step;
    scratch += step * kLanes;
  }
  constexpr int kFew = kLanes / 4;  // as many as cost less one by one
  if (n_frames <= kFew && has_single(plan.fft)) {
    const int n_values = filter.n_bands > 0 ? filter.n_bands : plan.n_values();
    for (int t = 0; t < n_frames; ++t) {
      single(plan, filter, samples + t * hop, scratch, rows + std::ptrdiff_t(t) * n_values);
    }
    return;
  }
  batch(plan, filter, Frames(samples, hop, n_frames), n_frames, scratch, rows);
}

void inverse(const RealFftPlan& plan, const float* spectra, int n_frames, float* scratch, float* frames) {
  auto* z = reinterpret_cast<Complex*>(scratch);
  float* work = scratch + std::ptrdiff_t{2} * plan.points * kLanes;
  const auto bin = [&](int k) {
    Complex x{splat(0.0f), splat(0.0f)};
    for (int l = 0; l < n_frames; ++l) {
      const float* at = spectra + 2 * (std::ptrdiff_t(l) * plan.n_bins + k);
      x.re[l] = at[0];
      x.im[l] = at[1];
    }
    return x;
  };
  const int n = plan.n_fft;
  const Lanes share = splat(1.0f / static_cast<float>(n));
  const auto conjugate = [](Complex a) { return Complex{a.re, splat(0.0f) - a.im}; };
  // Parts are swapped on the way in and out, which makes the forward transform the inverse one.
  if (n % 2 != 0) {
    for (int k = 0; k < plan.n_bins; ++k) {
      const Complex x = scale(bin(k), share);
      z[k] = swapped(x);
      if (k > 0) z[n - k] = swapped(conjugate(x));
    }
    z[0].re = splat(0.0f);  // the imaginary part of a real signal's mean
  } else {
    const int half = n / 2;
    for (int k = 0; k < half; ++k) {
      Complex a = scale(bin(k), share);
      Complex b = scale(conjugate(bin(half - k)), share);
      if (k == 0) a.im = b.im = splat(0.0f);
      // exp(2 pi i k / n), from the table's first quarter turn and a half
      const bool upper = 4 * k > n;
      const float* w = plan.split + 2 * (upper ? half - k : k);
      const Complex odd = times(a - b, splat(upper ? -w[0] : w[0]), splat(-w[1]));
      z[k] = swapped(plus_i(a + b, odd));
    }
  }
  transform(plan, z, work);
  for (int j = 0; j < plan.points; ++j) {
    const Complex x = swapped(z[plan.order[j]]);
    for (int l = 0; l < n_frames; ++l) {
      float* frame = frames + std::ptrdiff_t(l) * n;
      if (n % 2 != 0) {
        frame[j] = x.re[l];
      } else {
        frame[2 * j] = x.re[l];
        frame[2 * j + 1] = x.im[l];
      }
    }
  }
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
