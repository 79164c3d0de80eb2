/// What the resampler's kernels work from; their tables belong to `ResamplerTable`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastaudio::dsp {

/// Outputs of a resampler in groups of neighbours: a group's rows start at the same input sample, so
/// its outputs are a vector, and each tap one input sample times one vector.
struct ResamplePlan {
  static constexpr int kGroup = 16;
  static constexpr int kCycles = 4;  ///< that the kernel takes at once where it can
  std::int64_t up = 1;               ///< outputs of a cycle, after which the phases repeat
  std::int64_t down = 1;             ///< inputs of a cycle
  int taps = 0;                      ///< of one output
  int group_taps = 0;                ///< of a group: its outputs start at different samples
  int n_groups = 0;
  const float* groups = nullptr;        ///< [n_groups][group_taps][kGroup], zero where not a tap
  const std::int32_t* start = nullptr;  ///< [up] first input sample of an output, from the cycle's
  // Ratios of too many phases interpolate between the rows of a table instead.
  int phases = 0;                ///< 0 if exact
  const float* table = nullptr;  ///< [phases + 1][taps], taps a multiple of 16
};

/// Every second sample after a half-band low-pass, whose even taps are zero but for the middle one.
struct HalvePlan {
  int n_side = 0;               ///< taps on one side of the middle, at distances 1, 3, 5, ...
  const float* side = nullptr;  ///< [n_side]
  int reach() const { return 2 * n_side - 1; }
};

struct ResamplePosition {
  std::int64_t index = 0;  ///< input sample where the cycle starts; if interpolating, the next output
  std::int64_t phase = 0;  ///< next output within the cycle
};

#ifdef FASTAUDIO_ISA
namespace FASTAUDIO_ISA {
void halve(const HalvePlan&, const float* in, std::size_t n, float* out);
std::size_t resample(const ResamplePlan&, ResamplePosition&, const float* in, std::int64_t n_in, float* out,
                     std::size_t capacity);
}  // namespace FASTAUDIO_ISA
#endif

}  // namespace fastaudio::dsp
