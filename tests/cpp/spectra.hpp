/// The spectral kernels with memory of exactly the size they ask for, full of NaN: what an earlier call
/// left behind mustn't matter, and a sanitizer sees what lies beyond.
#pragma once

#include <doctest/doctest.h>

#include <cmath>

#include "dsp/aligned.hpp"
#include "dsp/kernels.hpp"
#include "dsp/real_fft.hpp"
#include "helpers.hpp"

namespace fastaudio::test {

/// A value stands behind what is written, to show that nothing else is.
inline constexpr float kGuard = -7.25f;

inline dsp::AlignedFloats spoilt_scratch(std::size_t n) { return dsp::AlignedFloats(n, std::nanf("")); }

inline Floats unguarded(Floats rows) {
  REQUIRE(rows.back() == kGuard);
  rows.pop_back();
  return rows;
}

inline Floats spectrum_rows(const dsp::Kernels& kernels, const dsp::SpectrumPlan& plan,
                            const dsp::FilterPlan& filter, const float* samples, std::ptrdiff_t hop,
                            int n_frames) {
  auto scratch = spoilt_scratch(dsp::spectrum_scratch(plan, filter, kernels.lanes));
  const int n_values = filter.n_bands > 0 ? filter.n_bands : plan.n_values();
  Floats rows(static_cast<std::size_t>(n_frames * n_values) + 1, kGuard);
  kernels.spectrum(plan, filter, samples, hop, n_frames, scratch.data(), rows.data());
  return unguarded(std::move(rows));
}

/// Tables for frames of `n` samples without a window (see FramePlan), and the plan that reads them: complex
/// spectra.
class Spectra {
 public:
  explicit Spectra(int n) : fft_(n), window_(static_cast<std::size_t>(n), n % 2 == 0 ? 0.5f : 1.0f) {
    plan.fft = fft_.plan();
    plan.frame.frame_length = n;
    plan.frame.window = window_.data();
    plan.is_complex = true;
  }

  dsp::SpectrumPlan plan;

 private:
  dsp::RealFft fft_;
  Floats window_;
};

}  // namespace fastaudio::test
