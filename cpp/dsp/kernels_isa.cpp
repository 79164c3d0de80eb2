// Compiled once per instruction set, each time with another FASTAUDIO_ISA; see lanes.hpp.
#include <cmath>

#include "dsp/kernels_fft.hpp"
#include "dsp/kernels_resample.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {
namespace {

/// Windows `n_frames` frames and turns them so that lane l is frame l. Idle lanes repeat frame 0.
void gather(const MelPlan& plan, const float* samples, std::ptrdiff_t hop, int n_frames, Lanes* out,
            int stride) {
  const float* frame[kLanes];
  for (int l = 0; l < kLanes; ++l) frame[l] = samples + (l < n_frames ? l : 0) * hop;
  int i = 0;
  for (; i + kLanes <= plan.n_fft; i += kLanes) {
    Lanes square[kLanes];
    const Lanes window = load(plan.window + i);
    for (int l = 0; l < kLanes; ++l) square[l] = load(frame[l] + i) * window;
    transpose(square);
    for (int k = 0; k < kLanes; ++k) out[(i + k) * stride] = square[k];
  }
  for (; i < plan.n_fft; ++i) {
    Lanes column = splat(0.0f);
    for (int l = 0; l < kLanes; ++l) column[l] = frame[l][i] * plan.window[i];
    out[i * stride] = column;
  }
}

inline Lanes squared(Complex a) { return a.re * a.re + a.im * a.im; }

/// |X|^2 of a real frame of even length from the half-length complex transform.
void power_even(const MelPlan& plan, const Complex* z, Lanes* power) {
  const int half = plan.n_fft / 2;
  const Complex dc = z[plan.order[0]];
  const Lanes low = dc.re + dc.im;
  const Lanes high = dc.re - dc.im;
  power[0] = low * low;
  power[half] = high * high;
  for (int k = 1; 2 * k <= half; ++k) {
    const Complex a = z[plan.order[k]];
    const Complex b = z[plan.order[half - k]];
    const Complex even = scale({a.re + b.re, a.im - b.im}, 0.5f);
    const Complex odd = scale({a.im + b.im, b.re - a.re}, 0.5f);
    const Complex turned = twiddle(odd, plan.split + 2 * k);
    power[k] = squared(even + turned);
    power[half - k] = squared(even - turned);
  }
}

void raise_power(const MelPlan& plan, Lanes* power) {
  if (plan.power == 2.0f) return;
  for (int k = 0; k < plan.n_bins; ++k) {
    for (int l = 0; l < kLanes; ++l) {
      const float p = power[k][l];
      power[k][l] = plan.power == 1.0f ? std::sqrt(p) : std::pow(p, plan.power / 2);
    }
  }
}

void filter_bands(const MelPlan& plan, const Lanes* power, Lanes* bands) {
  for (int b = 0; b < plan.n_bands; ++b) {
    const float* weight = plan.weights + plan.offset[b];
    const int n = plan.offset[b + 1] - plan.offset[b];
    const Lanes* bin = power + plan.first[b];
    Lanes total = splat(0.0f);
    for (int k = 0; k < n; ++k) total += bin[k] * splat(weight[k]);
    bands[b] = total;
  }
}

/// [band][lane] to rows [frame][band].
void scatter(const Lanes* bands, int n_bands, int n_frames, float* rows) {
  int b = 0;
  for (; b + kLanes <= n_bands; b += kLanes) {
    Lanes square[kLanes];
    for (int k = 0; k < kLanes; ++k) square[k] = bands[b + k];
    transpose(square);
    for (int l = 0; l < n_frames; ++l) store(rows + std::ptrdiff_t(l) * n_bands + b, square[l]);
  }
  for (; b < n_bands; ++b) {
    for (int l = 0; l < n_frames; ++l) rows[std::ptrdiff_t(l) * n_bands + b] = bands[b][l];
  }
}

void mel(const MelPlan& plan, const float* samples, std::ptrdiff_t hop, int n_frames, float* scratch,
         float* rows) {
  auto* points = reinterpret_cast<Lanes*>(scratch);
  const bool odd = plan.n_fft % 2;
  auto* z = reinterpret_cast<Complex*>(points);
  Lanes* power = points + (odd ? 2 * plan.n_fft : plan.n_fft);
  Lanes* bands = power + plan.n_bins;
  auto* spare = reinterpret_cast<Complex*>(bands + plan.n_bands);
  if (odd) {
    gather(plan, samples, hop, n_frames, points, 2);
    for (int i = 0; i < plan.n_fft; ++i) z[i].im = splat(0.0f);
    fft(plan.stages, z, plan.n_fft, spare);
    for (int k = 0; k < plan.n_bins; ++k) power[k] = squared(z[plan.order[k]]);
  } else {
    // Even samples are real parts and odd ones imaginary: the gathered frame is the complex array.
    gather(plan, samples, hop, n_frames, points, 1);
    fft(plan.stages, z, plan.n_fft / 2, spare);
    power_even(plan, z, power);
  }
  raise_power(plan, power);
  filter_bands(plan, power, bands);
  scatter(bands, plan.n_bands, n_frames, rows);
}

/// Natural logarithm of positive, finite x: x = 2^e m, ln m = 2 atanh((m - 1) / (m + 1)).
inline Lanes ln(Lanes x) {
  constexpr std::int32_t kHalfRoot = 0x3f3504f3;  // bits of sqrt(1/2)
  const IntLanes shifted = bits(x) - splat(kHalfRoot);
  const IntLanes exponent = shifted >> splat(std::int32_t{23});
  const Lanes m = from_bits(bits(x) - (exponent << splat(std::int32_t{23})));
  const Lanes t = (m - splat(1.0f)) / (m + splat(1.0f));
  const Lanes u = t * t;
  Lanes series = splat(2.0f / 9.0f);
  series = series * u + splat(2.0f / 7.0f);
  series = series * u + splat(2.0f / 5.0f);
  series = series * u + splat(2.0f / 3.0f);
  const Lanes e = to_float(exponent);
  // ln 2 in two parts, the first exact when multiplied by any exponent.
  const Lanes small = t * u * series + e * splat(-2.12194440e-4f);
  return (t + t + small) + e * splat(0.693359375f);
}

inline Lanes log_lanes(const LogPlan& plan, Lanes x) {
  const Lanes floored = max(x * splat(plan.scale) + splat(plan.offset), splat(plan.floor));
  return ln(floored) * splat(plan.gain) + splat(plan.bias);
}

void log(const LogPlan& plan, const float* in, float* out, std::size_t n) {
  // The last few go through the same vector code, so a value never depends on its place.
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = n - i < kLanes ? n - i : kLanes;
    float block[kLanes];
    for (int l = 0; l < kLanes; ++l) block[l] = 1.0f;
    std::memcpy(block, in + i, count * sizeof(float));
    store(block, log_lanes(plan, load(block)));
    std::memcpy(out + i, block, count * sizeof(float));
  }
}

inline bool is_bad(float value) { return !(std::fabs(value) <= kLargestSample); }

std::size_t find_bad(const float* values, std::size_t n) {
  constexpr std::size_t kBlock = 1024;
  for (std::size_t start = 0; start < n; start += kBlock) {
    const std::size_t end = n - start < kBlock ? n : start + kBlock;
    int bad = 0;
    for (std::size_t i = start; i < end; ++i) bad |= is_bad(values[i]);
    if (!bad) continue;
    for (std::size_t i = start; i < end; ++i) {
      if (is_bad(values[i])) return i;
    }
  }
  return n;
}

void from_int16(const std::int16_t* in, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]) * (1.0f / 32768.0f);
}

void downmix(const float* in, std::size_t n, int channels, float* out) {
  if (channels == 2) {
    for (std::size_t i = 0; i < n; ++i) out[i] = (in[2 * i] + in[2 * i + 1]) * 0.5f;
    return;
  }
  const float share = 1.0f / static_cast<float>(channels);
  for (std::size_t i = 0; i < n; ++i) {
    float total = 0;
    for (int c = 0; c < channels; ++c)
      total += in[i * static_cast<std::size_t>(channels) + static_cast<std::size_t>(c)];
    out[i] = total * share;
  }
}

}  // namespace

#define FASTAUDIO_STRING(x) #x
#define FASTAUDIO_NAME(x) FASTAUDIO_STRING(x)
extern const Kernels table;
const Kernels table{
    FASTAUDIO_NAME(FASTAUDIO_ISA), kLanes, mel, log, find_bad, from_int16, downmix, halve, resample};

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
