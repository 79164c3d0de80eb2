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

constexpr int kRun = 16;

/// Computes columns from `column` on of several rows: a weight that was read once serves all of them. The sum
/// of an output has one order, whatever is computed beside it: sums of kRun products, which err less than one
/// long sum.
template <int n_rows, int n_vectors>
inline void multiply_block(const MatrixPlan& plan, const float* in, int column, float* out) {
  const int stride = MatrixPlan::padded(plan.n_out);
  Lanes total[n_rows][n_vectors];
  for (auto& row : total) {
    for (auto& lanes : row) lanes = splat(0.0f);
  }
  const float* weights = plan.weights + column;
  for (int begin = 0; begin < plan.n_in; begin += kRun) {
    const int end = plan.n_in - begin < kRun ? plan.n_in : begin + kRun;
    Lanes sum[n_rows][n_vectors];
    for (auto& row : sum) {
      for (auto& lanes : row) lanes = splat(0.0f);
    }
    for (int m = begin; m < end; ++m, weights += stride) {
      // In this order 4 rows of 3 vectors need 16 registers, which all of x86 has.
      Lanes w[n_vectors];
      for (int v = 0; v < n_vectors; ++v) w[v] = load(weights + v * kLanes);
      for (int r = 0; r < n_rows; ++r) {
        const Lanes x = splat(in[std::ptrdiff_t{r} * plan.n_in + m]);
        for (int v = 0; v < n_vectors; ++v) sum[r][v] = fma(x, w[v], sum[r][v]);
      }
    }
    for (int r = 0; r < n_rows; ++r) {
      for (int v = 0; v < n_vectors; ++v) total[r][v] = total[r][v] + sum[r][v];
    }
  }
  for (int r = 0; r < n_rows; ++r) {
    float* row = out + std::ptrdiff_t{r} * plan.n_out + column;
    for (int v = 0; v < n_vectors; ++v) {
      const int left = plan.n_out - column - v * kLanes;
      std::memcpy(row + v * kLanes, &total[r][v],
                  static_cast<std::size_t>(left < kLanes ? left : kLanes) * sizeof(float));
    }
  }
}

template <int n_rows>
inline void multiply_rows(const MatrixPlan& plan, const float* in, float* out) {
  int column = 0;
  for (; column + 2 * kLanes < plan.n_out; column += 3 * kLanes) {
    multiply_block<n_rows, 3>(plan, in, column, out);
  }
  if (column + kLanes < plan.n_out) return multiply_block<n_rows, 2>(plan, in, column, out);
  if (column < plan.n_out) multiply_block<n_rows, 1>(plan, in, column, out);
}

void multiply(const MatrixPlan& plan, const float* in, std::size_t n_rows, float* out) {
  constexpr std::size_t kRows = 4;
  std::size_t r = 0;
  const auto from = [&] { return in + r * static_cast<std::size_t>(plan.n_in); };
  const auto to = [&] { return out + r * static_cast<std::size_t>(plan.n_out); };
  for (; r + kRows <= n_rows; r += kRows) multiply_rows<kRows>(plan, from(), to());
  for (; r < n_rows; ++r) multiply_rows<1>(plan, from(), to());
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
                    multiply,
                    find_bad,
                    from_int16,
                    downmix,
                    halve,
                    low_pass,
                    resample};

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
