/// The spectral kernels read these plans, which point into the tables of `RealFft`, windows and filterbanks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastaudio::dsp {

/// Describes a complex FFT that works in place, as stages of small butterflies.
struct FftPlan {
  static constexpr int kMaxStages = 16;
  int size = 0;
  int n_stages = 0;
  int radix[kMaxStages] = {};
  int length[kMaxStages] = {};            ///< block length entering the stage
  const float* twiddle[kMaxStages] = {};  ///< [radix - 1][re, im][length / radix]; null if all 1
  const float* root[kMaxStages] = {};     ///< [radix] (re, im), for radices without a butterfly
  const std::int32_t* order = nullptr;    ///< [size] where output k lies
  int largest_radix = 1;                  ///< the largest that has no butterfly, or 1
};

/// Describes a real FFT of n points by a complex one of n / 2 points, or of n if n is odd. If that number has
/// a large prime factor, the complex one is a convolution with a chirp (Bluestein) by `fft`.
struct RealFftPlan {
  int n_fft = 0;
  int n_bins = 0;  ///< n_fft / 2 + 1
  int points = 0;  ///< points of the complex transform
  FftPlan fft;
  const std::int32_t* order = nullptr;    ///< [points] where output k lies
  const float* split = nullptr;           ///< [n_fft / 4 + 1] (re, im) of exp(-2 pi i k / n_fft)
  const float* chirp = nullptr;           ///< [points] (re, im) of exp(-pi i k^2 / points), or null
  const float* chirp_spectrum = nullptr;  ///< [fft.size] (re, im), of its conjugate, divided by fft.size

  /// Returns how many floats the transform of `lanes` frames needs beside its points.
  std::size_t work_floats(int lanes) const {
    const std::size_t chirped = chirp == nullptr ? 0 : 4 * static_cast<std::size_t>(fft.size);
    return (chirped + 2 * static_cast<std::size_t>(fft.largest_radix)) * static_cast<std::size_t>(lanes);
  }
};

/// Describes how samples become a windowed frame of n_fft values.
struct FramePlan {
  int frame_length = 0;           ///< samples read, at most n_fft; zeros follow
  const float* window = nullptr;  ///< [n_fft], halved if n_fft is even, because `split_pair` doubles
  bool remove_dc = false;         ///< subtracts the frame's mean
  float preemphasis = 0;          ///< then x[i] -= preemphasis * x[i - 1], and x[0] -= preemphasis * x[0]

  bool needs_conditioning(int n_fft) const { return frame_length != n_fft || remove_dc || preemphasis != 0; }
};

struct SpectrumPlan {
  RealFftPlan fft;
  FramePlan frame;
  bool is_complex = false;  ///< values are (re, im), otherwise magnitude ** power
  float power = 2;

  int n_values() const { return is_complex ? 2 * fft.n_bins : fft.n_bins; }
};

/// Describes bands that are weighted sums of neighbouring bins. Bands that are the same share a sum.
struct FilterPlan {
  int n_bands = 0;                       ///< if 0, the spectrum itself is the row
  int n_sums = 0;                        ///< at most n_bands
  const std::int32_t* sum_of = nullptr;  ///< [n_bands] which sum a band is
  const std::int32_t* first = nullptr;   ///< [n_sums] first bin of a sum
  const std::int32_t* offset = nullptr;  ///< [n_sums + 1] into weights
  const float* weights = nullptr;
};

/// Returns how many floats of scratch, on a 64-byte boundary, `Kernels::spectrum` needs for `lanes` frames.
inline std::size_t spectrum_scratch(const SpectrumPlan& plan, const FilterPlan& filter, int lanes) {
  const auto n_fft = static_cast<std::size_t>(plan.fft.n_fft);
  const std::size_t copies = plan.frame.needs_conditioning(plan.fft.n_fft) ? (n_fft + 15) / 16 * 16 : 0;
  const std::size_t values = static_cast<std::size_t>(plan.n_values() + filter.n_sums);
  return (2 * static_cast<std::size_t>(plan.fft.points) + values + copies) * static_cast<std::size_t>(lanes) +
         plan.fft.work_floats(lanes);
}

#ifdef FASTAUDIO_ISA
namespace FASTAUDIO_ISA {
void spectrum(const SpectrumPlan&, const FilterPlan&, const float* samples, std::ptrdiff_t hop, int n_frames,
              float* scratch, float* rows);
}  // namespace FASTAUDIO_ISA
#endif

}  // namespace fastaudio::dsp
