// Compiled once per instruction set, each time with another FASTAUDIO_ISA; see lanes.hpp.
#include <cmath>

#include "dsp/kernels_fft.hpp"

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

inline float dot(const float* a, const float* b, int n) {
  Lanes s0 = splat(0.0f), s1 = s0, s2 = s0, s3 = s0;
  int i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 += load(a + i) * load(b + i);
    s1 += load(a + i + kLanes) * load(b + i + kLanes);
    s2 += load(a + i + 2 * kLanes) * load(b + i + 2 * kLanes);
    s3 += load(a + i + 3 * kLanes) * load(b + i + 3 * kLanes);
  }
  for (; i < n; i += kLanes) s0 += load(a + i) * load(b + i);
  return sum((s0 + s1) + (s2 + s3));
}

void halve(const HalvePlan& plan, const float* in, std::size_t n, float* out) {
  constexpr int kBlock = 256;
  constexpr int kMaxSide = 128;
  float odd[kBlock + 2 * kMaxSide];  // samples at distance 1, 3, ... from a middle
  float middle[kBlock];
  for (std::size_t start = 0; start < n; start += kBlock) {
    const int count = static_cast<int>(n - start < kBlock ? n - start : kBlock);
    const int rounded = (count + kLanes - 1) / kLanes * kLanes;
    const float* x = in + 2 * start;
    const int n_odd = count + 2 * plan.n_side - 1;
    for (int i = 0; i < n_odd; ++i) odd[i] = x[2 * i];
    for (int i = n_odd; i < rounded + 2 * plan.n_side; ++i) odd[i] = 0.0f;
    for (int i = 0; i < rounded; ++i) middle[i] = i < count ? x[2 * i + plan.reach()] : 0.0f;
    for (int i = 0; i < rounded; i += kLanes) {
      Lanes total = load(middle + i) * splat(0.5f);
      const float* left = odd + i + plan.n_side - 1;
      const float* right = odd + i + plan.n_side;
      for (int j = 0; j < plan.n_side; ++j) {
        total += (load(left - j) + load(right + j)) * splat(plan.side[j]);
      }
      store(middle + i, total);
    }
    std::memcpy(out + start, middle, static_cast<std::size_t>(count) * sizeof(float));
  }
}

/// One group over `cycles` cycles at once, each `down` samples further: one load of taps serves all.
template <int cycles>
inline void resample_group(const ResamplePlan& plan, int group, const float* x, float* out,
                           std::ptrdiff_t out_step) {
  constexpr int kVectors = ResamplePlan::kGroup / kLanes;
  Lanes total[cycles][kVectors];
  for (auto& cycle : total) {
    for (auto& lanes : cycle) lanes = splat(0.0f);
  }
  const float* taps = plan.groups + std::ptrdiff_t(group) * plan.group_taps * ResamplePlan::kGroup;
  for (int t = 0; t < plan.group_taps; ++t) {
    for (int v = 0; v < kVectors; ++v) {
      const Lanes tap = load(taps + t * ResamplePlan::kGroup + v * kLanes);
      for (int c = 0; c < cycles; ++c) total[c][v] += tap * splat(x[c * plan.down + t]);
    }
  }
  for (int c = 0; c < cycles; ++c) {
    for (int v = 0; v < kVectors; ++v) store(out + c * out_step + v * kLanes, total[c][v]);
  }
}

std::size_t resample_exact(const ResamplePlan& plan, ResamplePosition& position, const float* in,
                           std::int64_t n_in, float* out, std::size_t capacity) {
  constexpr int kGroup = ResamplePlan::kGroup;
  constexpr int kCycles = 4;  // as many sums as registers hold
  std::size_t n = 0;
  const auto many = static_cast<std::size_t>(kCycles * plan.up);
  const std::int64_t span = kCycles * plan.down + plan.group_taps;
  for (;;) {
    if (position.phase == 0 && position.index + span <= n_in && n + many <= capacity) {
      for (int g = 0; g < plan.n_groups; ++g) {
        const float* x = in + (position.index + plan.start[g * kGroup]);
        // Lanes beyond the cycle's last output would overwrite the next cycle's first ones.
        if ((g + 1) * kGroup <= plan.up) {
          resample_group<kCycles>(plan, g, x, out + n + g * kGroup, plan.up);
        } else {
          float rows[kCycles * kGroup];
          resample_group<kCycles>(plan, g, x, rows, kGroup);
          const auto used = static_cast<std::size_t>(plan.up - g * kGroup);
          for (int c = 0; c < kCycles; ++c) {
            std::memcpy(out + n + c * plan.up + g * kGroup, rows + c * kGroup, used * sizeof(float));
          }
        }
      }
      position.index += kCycles * plan.down;
      n += many;
      continue;
    }
    const auto g = static_cast<int>(position.phase / kGroup);
    const std::int64_t group_end = (g + 1) * kGroup < plan.up ? (g + 1) * kGroup : plan.up;
    std::int64_t end = position.phase;
    while (end < group_end && n + static_cast<std::size_t>(end - position.phase) < capacity &&
           position.index + plan.start[end] + plan.taps <= n_in) {
      ++end;
    }
    if (end == position.phase) return n;
    float row[kGroup];
    resample_group<1>(plan, g, in + (position.index + plan.start[g * kGroup]), row, kGroup);
    const auto ready = static_cast<std::size_t>(end - position.phase);
    std::memcpy(out + n, row + (position.phase - g * kGroup), ready * sizeof(float));
    n += ready;
    position.phase = end;
    if (end == plan.up) {
      position.phase = 0;
      position.index += plan.down;
    }
  }
}

std::size_t resample_between(const ResamplePlan& plan, ResamplePosition& position, const float* in,
                             std::int64_t n_in, float* out, std::size_t capacity) {
  const std::int64_t whole = plan.down / plan.up;
  const std::int64_t part = plan.down % plan.up;
  std::size_t n = 0;
  while (n < capacity && position.index + plan.taps <= n_in) {
    const float* x = in + position.index;
    const double row = static_cast<double>(position.phase) * plan.phases / static_cast<double>(plan.up);
    const auto lower = static_cast<std::int64_t>(row);
    const auto fraction = static_cast<float>(row - static_cast<double>(lower));
    const float* taps = plan.table + lower * plan.taps;
    const float a = dot(taps, x, plan.taps);
    const float b = dot(taps + plan.taps, x, plan.taps);
    out[n++] = a + fraction * (b - a);
    position.index += whole;
    position.phase += part;
    if (position.phase >= plan.up) {
      position.phase -= plan.up;
      ++position.index;
    }
  }
  return n;
}

std::size_t resample(const ResamplePlan& plan, ResamplePosition& position, const float* in, std::int64_t n_in,
                     float* out, std::size_t capacity) {
  return plan.phases == 0 ? resample_exact(plan, position, in, n_in, out, capacity)
                          : resample_between(plan, position, in, n_in, out, capacity);
}

}  // namespace

#define FASTAUDIO_STRING(x) #x
#define FASTAUDIO_NAME(x) FASTAUDIO_STRING(x)
extern const Kernels table;
const Kernels table{
    FASTAUDIO_NAME(FASTAUDIO_ISA), kLanes, mel, log, find_bad, from_int16, downmix, halve, resample};

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
