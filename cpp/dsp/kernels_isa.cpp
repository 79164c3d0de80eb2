// Compiled once per instruction set, each time with another FASTAUDIO_ISA; see lanes.hpp.
#include <cmath>

#include "dsp/kernels.hpp"
#include "simd/lanes.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

using namespace simd::FASTAUDIO_ISA;

namespace {

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
const Kernels table{FASTAUDIO_NAME(FASTAUDIO_ISA),
                    kLanes,
                    spectrum,
                    inverse,
                    log,
                    find_bad,
                    from_int16,
                    downmix,
                    halve,
                    resample};

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
