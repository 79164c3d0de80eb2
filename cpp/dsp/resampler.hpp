/// `ResamplerTable` holds the tables of a polyphase windowed-sinc resampler.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dsp/aligned.hpp"
#include "dsp/kernels.hpp"

namespace fastaudio::dsp {

/// It is immutable, so threads can share it.
///
/// The low-pass is a Kaiser-windowed sinc whose stop band begins at the lower of both Nyquist
/// frequencies. While the input rate is far above the output's, half-band stages halve it first: they
/// need few taps themselves, and the last stage then needs fewer. Rates whose reduced ratio has few phases
/// are exact; others interpolate between phases.
class ResamplerTable {
 public:
  /// `quality` is fast (pass band 0.80, -60 dB), high (0.90, -100 dB) or best (0.95, -120 dB).
  ResamplerTable(int input_rate, int output_rate, std::string_view quality);

  ResamplerTable(const ResamplerTable&) = delete;
  ResamplerTable& operator=(const ResamplerTable&) = delete;

  /// Returns the halvings that come first, in order; often there are none.
  const std::vector<HalvePlan>& halvings() const { return halvings_; }
  const ResamplePlan& plan() const { return plan_; }

  /// An output depends on up to `before()` samples before its own time, and can be computed once there are
  /// `after()` samples from that time on.
  std::int64_t before() const { return before_; }
  std::int64_t after() const { return after_; }

  /// Returns how many outputs `n` samples give.
  std::int64_t outputs_of(std::int64_t n) const;

  /// Returns how many samples in the last stage's window come before the output's position.
  int reach() const { return reach_; }

 private:
  int input_rate_;
  int output_rate_;
  std::int64_t before_ = 0;
  std::int64_t after_ = 0;
  std::vector<HalvePlan> halvings_;
  std::vector<Table<float>> halving_taps_;  ///< taps of the halvings
  ResamplePlan plan_;
  int reach_;
  AlignedTable table_;
  Table<std::int32_t> start_;
};

}  // namespace fastaudio::dsp
