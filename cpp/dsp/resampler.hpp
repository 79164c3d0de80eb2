/// Tables of a polyphase windowed-sinc resampler.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dsp/aligned.hpp"
#include "dsp/kernels.hpp"

namespace fastaudio::dsp {

/// Immutable; share it between threads.
///
/// The low-pass is a Kaiser-windowed sinc whose stop band begins at the lower of both Nyquist
/// frequencies. While the input rate is far above the output's, half-band stages halve it first: they
/// need few taps, and the last stage fewer. Rates whose reduced ratio has few phases are exact; others
/// interpolate between phases.
class ResamplerTable {
 public:
  /// `quality` is fast (pass band 0.80, -60 dB), high (0.90, -100 dB) or best (0.95, -120 dB).
  ResamplerTable(int input_rate, int output_rate, std::string_view quality);

  ResamplerTable(const ResamplerTable&) = delete;
  ResamplerTable& operator=(const ResamplerTable&) = delete;

  /// What comes first, in order; often nothing.
  const std::vector<HalvePlan>& halvings() const { return halvings_; }
  const ResamplePlan& plan() const { return plan_; }

  /// Samples that an output depends on: up to `before()` of them before its own time, and it is there once
  /// `after()` are from that time on.
  std::int64_t before() const { return before_; }
  std::int64_t after() const { return after_; }

  /// Outputs of `n` samples.
  std::int64_t outputs_of(std::int64_t n) const;

  /// Samples of the last stage that stand before an output's own position in its window.
  int reach() const { return reach_; }

 private:
  int input_rate_;
  int output_rate_;
  std::int64_t before_ = 0;
  std::int64_t after_ = 0;
  std::vector<HalvePlan> halvings_;
  std::vector<std::vector<float>> sides_;  ///< taps of the halvings
  ResamplePlan plan_;
  int reach_;
  AlignedFloats table_;
  std::vector<std::int32_t> start_;
};

}  // namespace fastaudio::dsp
