/// `ResamplerTable` holds the tables of a polyphase windowed-sinc resampler.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dsp/aligned.hpp"
#include "dsp/kernels.hpp"

namespace fastaudio::dsp {

class LowPass;

/// It is immutable, so threads can share it.
///
/// The low-pass is a Kaiser-windowed sinc whose stop band begins at the lower of both Nyquist
/// frequencies. While the input rate is far above the output's, half-band stages halve it first: they
/// need few taps themselves, and the later stages then need fewer. Rates whose reduced ratio has few phases
/// are exact; others interpolate between phases. Where that costs less, the low-pass comes first by itself,
/// at the rate as it is or at twice that rate, and the last stage needs few taps. If the output's rate is
/// then a half or two thirds of the input's, the low-pass computes no more than the outputs, and is the last
/// stage.
class ResamplerTable {
 public:
  /// `quality` is fast (pass band 0.80, -55 dB), high (0.90, -100 dB) or best (0.95, -120 dB).
  ResamplerTable(int input_rate, int output_rate, std::string_view quality);

  ResamplerTable(const ResamplerTable&) = delete;
  ResamplerTable& operator=(const ResamplerTable&) = delete;

  /// Returns the halvings that come first, in order; often there are none.
  const std::vector<HalvePlan>& halvings() const { return halvings_; }
  /// Returns the low-pass that comes next; its `up` is 0 if the last stage does it.
  const LowPassPlan& low_pass() const { return low_pass_; }
  /// Returns the last stage; it has no taps where the low-pass makes the outputs.
  const ResamplePlan& plan() const { return plan_; }

  /// An output depends on up to `before()` samples before its own time, and can be computed once there are
  /// `after()` samples from that time on.
  std::int64_t before() const { return before_; }
  std::int64_t after() const { return after_; }

  /// So many inputs give so many outputs, after which the phases repeat.
  std::int64_t n_in() const { return n_in_; }
  std::int64_t n_out() const { return n_out_; }

  /// Returns how many outputs `n` samples give.
  std::int64_t outputs_of(std::int64_t n) const;

  /// Returns how many samples in the last stage's window come before the output's position.
  int reach() const { return reach_; }

 private:
  void set_ratio(std::int64_t up);
  void make_low_pass(const LowPass& filter, int up);
  void make_last(const LowPass& filter, int phases);

  int input_rate_;
  int output_rate_;
  std::int64_t scale_ = 1;  ///< inputs for each sample after the halvings
  std::int64_t n_in_ = 1;
  std::int64_t n_out_ = 1;
  std::int64_t before_ = 0;
  std::int64_t after_ = 0;
  std::vector<HalvePlan> halvings_;
  std::vector<Table<float>> halving_taps_;  ///< taps of the halvings
  LowPassPlan low_pass_;
  Table<float> low_pass_taps_;
  ResamplePlan plan_;
  int reach_ = 0;
  AlignedTable table_;
  Table<std::int32_t> start_;
};

}  // namespace fastaudio::dsp
