// This file is compiled once per instruction set, see lanes.hpp.
#include "dsp/kernels_resample.hpp"
#include "simd/lanes.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

using namespace simd::FASTAUDIO_ISA;

namespace {

constexpr int kTimes = 4;  ///< neighbouring samples whose outputs are summed at once
constexpr int kMaxTimes = 2048 / kLanes;

/// Copies `n` samples, zeros after them, as `kLanes` segments that begin `step` samples apart: sample i of
/// segment l goes to lane l of out[i], for i < n_columns, a multiple of kLanes.
void spread(const float* in, int n, int step, int n_columns, Lanes* out) {
  for (int i = 0; i < n_columns; i += kLanes) {
    Lanes square[kLanes];
    for (int l = 0; l < kLanes; ++l) {
      const int at = l * step + i;
      if (at + kLanes <= n) {
        square[l] = load(in + at);
      } else {
        square[l] = splat(0.0f);
        if (at < n) std::memcpy(&square[l], in + at, static_cast<std::size_t>(n - at) * sizeof(float));
      }
    }
    transpose(square);
    for (int k = 0; k < kLanes; ++k) out[i + k] = square[k];
  }
}

/// Copies the first `n` values of segments of `step` values: value i of segment l lies in lane l of in[i].
void collect(const Lanes* in, int step, int n, float* out) {
  for (int i = 0; i < step; i += kLanes) {
    Lanes square[kLanes];
    for (int k = 0; k < kLanes; ++k) square[k] = in[i + k];
    transpose(square);
    for (int l = 0; l < kLanes; ++l) {
      const int at = l * step + i;
      if (at + kLanes <= n) {
        store(out + at, square[l]);
      } else if (at < n) {
        std::memcpy(out + at, &square[l], static_cast<std::size_t>(n - at) * sizeof(float));
      }
    }
  }
}

/// Adds `n` pairs of samples to each of kTimes sums, `down` further from the centre each time. The sums' own
/// samples lie `down` apart too, so that those to the right stay in registers while distances grow. Every
/// second pair has a sum of its own, so that additions needn't wait for each other.
template <int down>
FASTAUDIO_INLINE void add_pairs(const Lanes* left, const Lanes* right, const float* taps, int tap_step, int n,
                                Lanes* a, Lanes* b) {
  static_assert(kTimes == 4);
  Lanes r0 = right[0], r1 = right[down], r2 = right[2 * down], r3 = right[3 * down];
  int q = 0;
  FASTAUDIO_UNROLL_4
  for (; q + 1 < n; q += 2, left -= 2 * down, right += 2 * down, taps += 2 * tap_step) {
    const Lanes even = splat(taps[0]), odd = splat(taps[tap_step]);
    const Lanes r4 = right[4 * down];
    Lanes l = left[-down];
    b[0] = fma(l + r1, odd, b[0]);
    l = left[0];
    a[0] = fma(l + r0, even, a[0]);
    b[1] = fma(l + r2, odd, b[1]);
    l = left[down];
    a[1] = fma(l + r1, even, a[1]);
    b[2] = fma(l + r3, odd, b[2]);
    l = left[2 * down];
    a[2] = fma(l + r2, even, a[2]);
    b[3] = fma(l + r4, odd, b[3]);
    a[3] = fma(left[3 * down] + r3, even, a[3]);
    r0 = r2;
    r1 = r3;
    r2 = r4;
    r3 = right[5 * down];
  }
  if (q == n) return;
  const Lanes even = splat(taps[0]);
  a[0] = fma(left[0] + r0, even, a[0]);
  a[1] = fma(left[down] + r1, even, a[1]);
  a[2] = fma(left[2 * down] + r2, even, a[2]);
  a[3] = fma(left[3 * down] + r3, even, a[3]);
}

/// Computes the outputs of kTimes periods of `down` samples, of which the first begins at x[0]. Both halves
/// of a response weigh alike, so samples at one distance from its centre are added first.
template <int up, int down>
inline void low_pass_at(const LowPassPlan& plan, const Lanes* x, Lanes* out) {
  for (int phase = 0; phase < up; ++phase) {
    Lanes a[kTimes], b[kTimes];
    const Lanes* at = x + phase * down / up;  // the output's own sample, or the one before it
    for (int v = 0; v < kTimes; ++v) {
      a[v] = phase == 0 ? at[down * v] * splat(plan.middle) : splat(0.0f);
      b[v] = splat(0.0f);
    }
    for (int j = 0; j < down; ++j) {
      const Lanes* left = at - j - (phase == 0 ? 1 : 0);
      const int n = (plan.n_side - j + down - 1) / down;
      add_pairs<down>(left, at + 1 + j, plan.taps + j * up + phase, down * up, n, a, b);
    }
    for (int v = 0; v < kTimes; ++v) out[up * v + phase] = a[v] + b[v];
  }
}

/// The same for two outputs per sample, which share what is loaded.
template <>
inline void low_pass_at<2, 1>(const LowPassPlan& plan, const Lanes* x, Lanes* out) {
  Lanes a[kTimes], b[kTimes];
  for (int v = 0; v < kTimes; ++v) {
    a[v] = x[v] * splat(plan.middle);
    b[v] = splat(0.0f);
  }
  const float* tap = plan.taps;
  const Lanes* left = x;
  const Lanes* right = x + 1;
  Lanes r0 = right[0], r1 = right[1], r2 = right[2], r3 = right[3];
  FASTAUDIO_UNROLL_4
  for (int j = 0; j < plan.n_side; ++j, --left, ++right, tap += 2) {
    const Lanes at = splat(tap[0]), between = splat(tap[1]);
    Lanes l = left[-1];
    a[0] = fma(l + r0, at, a[0]);
    l = left[0];
    b[0] = fma(l + r0, between, b[0]);
    a[1] = fma(l + r1, at, a[1]);
    l = left[1];
    b[1] = fma(l + r1, between, b[1]);
    a[2] = fma(l + r2, at, a[2]);
    l = left[2];
    b[2] = fma(l + r2, between, b[2]);
    a[3] = fma(l + r3, at, a[3]);
    b[3] = fma(left[3] + r3, between, b[3]);
    r0 = r1;
    r1 = r2;
    r2 = r3;
    r3 = right[4];
  }
  for (int v = 0; v < kTimes; ++v) {
    out[2 * v] = a[v];
    out[2 * v + 1] = b[v];
  }
}

/// Computes the outputs of `n` periods, `kLanes` parts of the sound at once.
template <int up, int down>
void low_pass_of(const LowPassPlan& plan, const float* in, std::size_t n, float* out) {
  constexpr int kStep = kLanes / up > kTimes ? kLanes / up : kTimes;  // collect() takes whole squares
  constexpr int kMost = kMaxTimes / down / kStep * kStep;
  Lanes columns[kMaxTimes + 2 * LowPassPlan::kMaxSide + 2 * kLanes];
  Lanes sums[up * kMost];
  const int period = 2 * plan.n_side + 1 + plan.ahead();  // samples that the outputs of one depend on
  for (std::size_t start = 0; start < n; start += kLanes * kMost) {
    const std::size_t left = n - start;
    const int count = static_cast<int>(left < kLanes * kMost ? left : kLanes * kMost);
    const int times = (count + kLanes * kStep - 1) / (kLanes * kStep) * kStep;
    const int window = down * (times - 1) + period;
    spread(in + down * start, down * (count - 1) + period, down * times,
           (window + kLanes - 1) / kLanes * kLanes, columns);
    const Lanes* x = columns + plan.n_side;
    for (int i = 0; i < times; i += kTimes) low_pass_at<up, down>(plan, x + down * i, sums + up * i);
    collect(sums, up * times, up * count, out + up * start);
  }
}

}  // namespace

void low_pass(const LowPassPlan& plan, const float* in, std::size_t n, float* out) {
  if (plan.up == 1) {
    plan.down == 1 ? low_pass_of<1, 1>(plan, in, n, out) : low_pass_of<1, 2>(plan, in, n, out);
  } else {
    plan.down == 1 ? low_pass_of<2, 1>(plan, in, n, out) : low_pass_of<2, 3>(plan, in, n, out);
  }
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
