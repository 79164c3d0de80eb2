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
/// frequencies. Rates whose reduced ratio has few phases are exact; others interpolate between phases.
class ResamplerTable {
 public:
  /// `quality` is fast (pass band 0.80, -60 dB), high (0.90, -100 dB) or best (0.95, -120 dB).
  ResamplerTable(int input_rate, int output_rate, std::string_view quality);

  ResamplerTable(const ResamplerTable&) = delete;
  ResamplerTable& operator=(const ResamplerTable&) = delete;

  const ResamplePlan& plan() const { return plan_; }

  /// Input samples that stand before an output's own position in its window.
  int reach() const { return reach_; }

 private:
  ResamplePlan plan_;
  int reach_;
  AlignedFloats table_;
  std::vector<std::int32_t> start_;
};

}  // namespace fastaudio::dsp
