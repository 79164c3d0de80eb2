/// The inner loops, one table of functions per instruction set.
///
/// Every kernel is pure: it reads its inputs, writes its outputs and owns nothing. Inputs and
/// outputs never overlap unless stated. None allocates, locks or throws. A frame's numbers depend
/// on its samples alone, never on its lane or on the frames computed beside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dsp/kernels_resample.hpp"

namespace fastaudio::dsp {

/// A complex FFT of `size` points as stages of small butterflies, tables owned by `RealFft`.
struct FftStages {
  static constexpr int kMaxStages = 16;
  int n_stages = 0;
  int radix[kMaxStages] = {};
  int length[kMaxStages] = {};            ///< block length entering the stage
  const float* twiddle[kMaxStages] = {};  ///< [length / radix][radix - 1] (re, im); null if all 1
  const float* root[kMaxStages] = {};     ///< [radix] (re, im), for radices other than 2, 3, 4, 5
};

/// What a frame goes through; pointers stay owned by the plan's maker.
struct MelPlan {
  int n_fft = 0;
  int n_bins = 0;                       ///< n_fft / 2 + 1
  float power = 2;                      ///< exponent of the magnitude
  const float* window = nullptr;        ///< [n_fft], zero outside win_length
  FftStages stages;                     ///< over n_fft / 2 points if even, else n_fft
  const std::int32_t* order = nullptr;  ///< where output k of the stages lies
  const float* split = nullptr;         ///< [n_fft / 4 + 1] (re, im) of exp(-2 pi i k / n_fft)
  int n_bands = 0;
  const std::int32_t* first = nullptr;   ///< [n_bands] first bin of a band
  const std::int32_t* offset = nullptr;  ///< [n_bands + 1] into weights
  const float* weights = nullptr;
  int max_radix = 0;

  /// Floats of scratch that a batch of `lanes` frames needs, from a 64-byte boundary.
  std::size_t scratch_floats(int lanes) const {
    const std::size_t points = n_fft % 2 ? 2 * std::size_t(n_fft) : std::size_t(n_fft);
    return (points + std::size_t(n_bins) + std::size_t(n_bands) + 2 * std::size_t(max_radix)) *
           std::size_t(lanes);
  }
};

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
  /// `n_frames` in [1, lanes] frames of n_fft samples, `hop` apart, to rows [n_frames][n_bands].
  void (*mel)(const MelPlan&, const float* samples, std::ptrdiff_t hop, int n_frames, float* scratch,
              float* rows);
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
/// FASTAUDIO_ISA (baseline, avx2, avx512); chosen once. Throws ValueError for a name it can't run.
const Kernels& kernels();

}  // namespace fastaudio::dsp
