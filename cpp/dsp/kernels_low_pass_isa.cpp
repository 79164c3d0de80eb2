// This file is compiled once per instruction set, see lanes.hpp.
#include "dsp/kernels_resample.hpp"
#include "simd/lanes.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

using namespace simd::FASTAUDIO_ISA;

namespace {

constexpr int kTimes = 4;  ///< neighbouring samples whose outputs are summed at once
constexpr int kMaxTimes = 1024 / kLanes;

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

/// Computes the outputs of kTimes samples, the first of which is x[0]: those at their times, and if `up` is 2
/// those half-way to the next. Both halves of a response weigh alike, so samples at one distance from its
/// centre are added first. Samples to the right stay in registers while distances grow.
template <int up>
inline void low_pass_at(const LowPassPlan& plan, const Lanes* x, Lanes* out) {
  static_assert(kTimes == 4);
  Lanes a[kTimes], b[kTimes];
  for (int v = 0; v < kTimes; ++v) {
    a[v] = x[v] * splat(plan.middle);
    b[v] = splat(0.0f);
  }
  const float* tap = plan.taps;
  const Lanes* left = x;
  const Lanes* right = x + 1;
  Lanes r0 = right[0], r1 = right[1], r2 = right[2], r3 = right[3];
  if constexpr (up == 2) {
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
  } else {
    // Odd and even distances have sums of their own, so that additions needn't wait for each other.
    for (int j = 0; j < plan.n_side; j += 2, left -= 2, right += 2, tap += 2) {
      const Lanes even = splat(tap[0]), odd = splat(tap[1]);
      const Lanes r4 = right[4];
      Lanes l = left[-2];
      b[0] = fma(l + r1, odd, b[0]);
      l = left[-1];
      a[0] = fma(l + r0, even, a[0]);
      b[1] = fma(l + r2, odd, b[1]);
      l = left[0];
      a[1] = fma(l + r1, even, a[1]);
      b[2] = fma(l + r3, odd, b[2]);
      l = left[1];
      a[2] = fma(l + r2, even, a[2]);
      b[3] = fma(l + r4, odd, b[3]);
      a[3] = fma(left[2] + r3, even, a[3]);
      r0 = r2;
      r1 = r3;
      r2 = r4;
      r3 = right[5];
    }
    for (int v = 0; v < kTimes; ++v) out[v] = a[v] + b[v];
  }
}

template <int up>
void low_pass_of(const LowPassPlan& plan, const float* in, std::size_t n, float* out) {
  constexpr int kStep = kLanes / up > kTimes ? kLanes / up : kTimes;
  static_assert(kMaxTimes % kStep == 0);
  Lanes columns[kMaxTimes + 2 * LowPassPlan::kMaxSide + 16];
  Lanes sums[up * kMaxTimes];
  for (std::size_t start = 0; start < n; start += kLanes * kMaxTimes) {
    const std::size_t left = n - start;
    const int count = static_cast<int>(left < kLanes * kMaxTimes ? left : kLanes * kMaxTimes);
    const int times = (count + kLanes * kStep - 1) / (kLanes * kStep) * kStep;
    const int window = times + 2 * plan.n_side;
    spread(in + start, count + 2 * plan.n_side, times, (window + kLanes - 1) / kLanes * kLanes, columns);
    for (int i = 0; i < times; i += kTimes) {
      low_pass_at<up>(plan, columns + plan.n_side + i, sums + up * i);
    }
    collect(sums, up * times, up * count, out + up * start);
  }
}

}  // namespace

void low_pass(const LowPassPlan& plan, const float* in, std::size_t n, float* out) {
  return plan.up == 2 ? low_pass_of<2>(plan, in, n, out) : low_pass_of<1>(plan, in, n, out);
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
