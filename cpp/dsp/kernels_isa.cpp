// This file is compiled once per instruction set, each time with another FASTAUDIO_ISA; see lanes.hpp.
#include <cmath>

#include "dsp/kernels.hpp"
#include "simd/lanes.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

using namespace simd::FASTAUDIO_ISA;

namespace {

/// Returns the natural logarithm of positive, finite x = 2^e (1 + t), by Cephes' polynomial for `logf`
/// (Moshier).
inline Lanes ln(Lanes x) {
  constexpr std::int32_t kHalfRoot = 0x3f3504f3;  // bits of sqrt(1/2)
  constexpr float kSeries[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                               -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                               2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  const IntLanes exponent = (bits(x) - splat(kHalfRoot)) >> splat(std::int32_t{23});
  const Lanes t = from_bits(bits(x) - (exponent << splat(std::int32_t{23}))) - splat(1.0f);
  const Lanes e = to_float(exponent);
  Lanes series = splat(kSeries[0]);
  for (int i = 1; i < 9; ++i) series = fma(series, t, splat(kSeries[i]));
  const Lanes square = t * t;
  // ln 2 is split in two parts; the first is exact when multiplied by any exponent.
  Lanes small = fma(e, splat(-2.12194440e-4f), series * (t * square));
  small = fma(square, splat(-0.5f), small);
  return fma(e, splat(0.693359375f), t + small);
}

inline Lanes log_lanes(const LogPlan& plan, Lanes x) {
  const Lanes floored = max(fma(x, splat(plan.scale), splat(plan.offset)), splat(plan.floor));
  return fma(ln(floored), splat(plan.gain), splat(plan.bias));
}

void log(const LogPlan& plan, const float* in, float* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(out + i, log_lanes(plan, load(in + i)));
  if (i == n) return;
  // The last few go through the same vector code, so that a value never depends on its place.
  float block[kLanes];
  for (float& value : block) value = 1.0f;
  std::memcpy(block, in + i, (n - i) * sizeof(float));
  store(block, log_lanes(plan, load(block)));
  std::memcpy(out + i, block, (n - i) * sizeof(float));
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
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]) * kInt16Scale;
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
const Kernels table{FASTAUDIO_NAME(FASTAUDIO_ISA),
                    kLanes,
                    spectrum,
                    log,
                    find_bad,
                    from_int16,
                    downmix,
                    halve,
                    low_pass,
                    resample};

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
