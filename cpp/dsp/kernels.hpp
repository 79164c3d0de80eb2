/// The inner loops, one table of functions per instruction set.
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

/// Beyond this, the square of a spectrum's sum could overflow float32.
inline constexpr float kLargestSample = 1e12f;

struct Kernels {
  const char* isa;
  int lanes;
  /// `n_frames` in [1, lanes] frames, `hop` apart, to rows [n_frames][n_values or n_bands].
  void (*spectrum)(const SpectrumPlan&, const FilterPlan&, const float* samples, std::ptrdiff_t hop,
                   int n_frames, float* scratch, float* rows);
  /// Elementwise; `out` may equal `in`.
  void (*log)(const LogPlan&, const float* in, float* out, std::size_t n);
  /// Index of the first value that is NaN, infinite, or beyond kLargestSample; n if none is.
  std::size_t (*find_bad)(const float* values, std::size_t n);
  /// Full scale to +-1.
  void (*from_int16)(const std::int16_t* in, std::size_t n, float* out);
  /// Mean of interleaved channels: in [n][channels] to out [n].
  void (*downmix)(const float* in, std::size_t n, int channels, float* out);
  /// out[k], k < n, centred on in[2 k + reach]; reads 2 (n - 1) + 2 reach + 1 samples.
  void (*halve)(const HalvePlan&, const float* in, std::size_t n, float* out);
  /// Produces outputs whose input samples lie within `n_in`, at most `capacity`; moves `position`,
  /// which counts from `in`; returns how many. Reads, without using, `group_taps` finite values beyond
  /// `n_in`.
  std::size_t (*resample)(const ResamplePlan&, ResamplePosition& position, const float* in, std::int64_t n_in,
                          float* out, std::size_t capacity);
};

/// The fastest table that this processor runs, or the one named by the environment variable
/// FASTAUDIO_ISA (baseline, avx2, avx512; neon); chosen once. Throws ValueError for a name it can't run.
const Kernels& kernels();

}  // namespace fastaudio::dsp
