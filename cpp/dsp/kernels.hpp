/// Kernels are the inner loops; each instruction set has a table of them.
///
/// Every kernel is pure: it reads its inputs, writes its outputs and owns nothing. Inputs and
/// outputs never overlap unless stated. None allocates, locks or throws. A frame's numbers depend
/// on its samples alone, never on its lane or on the frames computed beside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dsp/kernels_resample.hpp"
#include "dsp/kernels_spectrum.hpp"

namespace fastaudio::dsp {

/// y = gain * ln(max(scale * x + offset, floor)) + bias
struct LogPlan {
  float scale = 1;
  float offset = 0;
  float floor = 0;
  float gain = 1;
  float bias = 0;
};

/// Multiplies rows by a small matrix.
struct MatrixPlan {
  static constexpr int kPadding = 16;
  /// Returns how many values a row of `weights` has; those after the first `n` are zeros.
  static constexpr int padded(int n) { return (n + kPadding - 1) / kPadding * kPadding; }
  int n_in = 0;
  int n_out = 0;
  const float* weights = nullptr;  ///< [n_in][padded(n_out)], on a 64-byte boundary
};

/// Larger samples could overflow float32 in the square of a spectrum's sum.
inline constexpr float kLargestSample = 1e12f;

/// Takes 16-bit samples to +-1.
inline constexpr float kInt16Scale = 1.0f / 32768.0f;

struct Kernels {
  const char* isa;
  int lanes;
  /// Computes rows [n_frames][n_values or n_bands] of `n_frames` in [1, lanes] frames, `hop` samples apart.
  void (*spectrum)(const SpectrumPlan&, const FilterPlan&, const float* samples, std::ptrdiff_t hop,
                   int n_frames, float* scratch, float* rows);
  /// Elementwise; `out` may equal `in`.
  void (*log)(const LogPlan&, const float* in, float* out, std::size_t n);
  /// Computes out[n_rows][n_out], the product of in[n_rows][n_in] and the weights.
  void (*multiply)(const MatrixPlan&, const float* in, std::size_t n_rows, float* out);
  /// Returns the index of the first value that is NaN, infinite, or beyond kLargestSample; n if none is.
  std::size_t (*find_bad)(const float* values, std::size_t n);
  /// Converts integers so that full scale becomes +-1.
  void (*from_int16)(const std::int16_t* in, std::size_t n, float* out);
  /// Averages interleaved channels: in [n][channels] to out [n].
  void (*downmix)(const float* in, std::size_t n, int channels, float* out);
  /// Computes out[k] for k < n, centred on in[2 k + reach]; reads 2 (n - 1) + 2 reach + 1 samples.
  void (*halve)(const HalvePlan&, const float* in, std::size_t n, float* out);
  /// Computes the outputs of periods k < n, plan.up for each, of which the first is centred on in[plan.down k
  /// + reach]; reads plan.down (n - 1) + 2 reach + 1 + ahead samples.
  void (*low_pass)(const LowPassPlan&, const float* in, std::size_t n, float* out);
  /// Produces the outputs whose input samples lie within `n_in`, but at most `capacity`, and returns how
  /// many. Moves `position`, which counts from `in`. Also reads `group_taps` values beyond `n_in`: they have
  /// to be finite, and change nothing.
  std::size_t (*resample)(const ResamplePlan&, ResamplePosition& position, const float* in, std::int64_t n_in,
                          float* out, std::size_t capacity);
};

/// Returns the fastest table that this processor can run, or the one that the environment variable
/// FASTAUDIO_ISA names (baseline, avx2, avx512; neon). It is chosen once. Throws ValueError for a name that
/// the processor can't run.
const Kernels& kernels();

}  // namespace fastaudio::dsp
