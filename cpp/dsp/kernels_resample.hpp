/// The resampler's kernels read these plans, which point into the tables of a `ResamplerTable`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastaudio::dsp {

/// Computes outputs in groups of neighbours. A group's rows of taps start at the same input sample, so its
/// outputs are a vector, and each tap multiplies one input sample by one vector.
struct ResamplePlan {
  static constexpr int kGroup = 16;
  static constexpr int kCycles = 6;  ///< cycles that the kernel takes at once where it can
  std::int64_t up = 1;               ///< outputs per cycle, after which the phases repeat
  std::int64_t down = 1;             ///< inputs per cycle
  int taps = 0;                      ///< taps of one output
  int group_taps = 0;                ///< taps of a group, whose outputs start at different samples
  int n_groups = 0;
  const float* groups = nullptr;  ///< [n_groups][group_taps][kGroup], zero where an output has no tap
  const std::int32_t* start =
      nullptr;  ///< [up] first input sample of each output, counted from the cycle's first
  // Ratios with too many phases interpolate between the rows of a table instead.
  int phases = 0;                ///< 0 if no interpolation is needed
  const float* table = nullptr;  ///< [phases + 1][taps], taps a multiple of the lanes
};

/// Keeps every second sample after a half-band low-pass, whose even taps are zero except the middle one.
struct HalvePlan {
  static constexpr int kMaxSide = 128;
  static constexpr int up = 1;
  static constexpr int down = 2;
  int n_side = 0;  ///< taps on one side of the middle, at distances 1, 3, 5, ...; at most kMaxSide
  const float* side_taps = nullptr;  ///< [n_side]
  /// Returns how many samples an output needs before, and after, the one that it is centred on.
  int reach() const { return 2 * n_side - 1; }
  /// Returns how many more samples after that the last output of a period needs.
  static constexpr int ahead() { return 0; }
};

/// A low-pass whose response is symmetric. For each period of `down` samples it makes `up` outputs: 1 for 1,
/// 2 for 1, 1 for 2 or 2 for 3.
struct LowPassPlan {
  static constexpr int kMaxSide = 512;
  int up = 0;        ///< the first output is at a period's first sample, the second half a period on
  int n_side = 0;    ///< taps on one side, at most kMaxSide
  float middle = 1;  ///< weight of the sample at an output's own time
  const float* taps = nullptr;  ///< [n_side][up]: weights at distances j + 1 and, if up is 2, j + 1/2
  int down = 1;
  int reach() const { return n_side; }
  int ahead() const { return up == 2 ? down / 2 : 0; }
};

struct ResamplePosition {
  std::int64_t index = 0;  ///< input sample where the cycle starts, or the next output if interpolating
  std::int64_t phase = 0;  ///< next output within the cycle
};

#ifdef FASTAUDIO_ISA
namespace FASTAUDIO_ISA {
void halve(const HalvePlan&, const float* in, std::size_t n, float* out);
void low_pass(const LowPassPlan&, const float* in, std::size_t n, float* out);
std::size_t resample(const ResamplePlan&, ResamplePosition&, const float* in, std::int64_t n_in, float* out,
                     std::size_t capacity);
}  // namespace FASTAUDIO_ISA
#endif

}  // namespace fastaudio::dsp
