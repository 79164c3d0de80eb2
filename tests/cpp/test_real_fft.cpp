#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "dsp/aligned.hpp"
#include "dsp/kernels.hpp"
#include "dsp/real_fft.hpp"
#include "helpers.hpp"
#include "references.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// The power spectrum through the mel kernel: no window, and one band for each bin.
class PowerSpectrum {
 public:
  explicit PowerSpectrum(int n) : fft_(n), window_(static_cast<std::size_t>(n), 1.0f) {
    fft_.describe(plan_);
    const auto n_bins = static_cast<std::size_t>(plan_.n_bins);
    bins_.resize(n_bins + 1);
    std::iota(bins_.begin(), bins_.end(), 0);
    weights_.assign(n_bins, 1.0f);
    plan_.window = window_.data();
    plan_.n_bands = plan_.n_bins;
    plan_.first = bins_.data();
    plan_.offset = bins_.data();
    plan_.weights = weights_.data();
    scratch_.resize(plan_.scratch_floats(dsp::kernels().lanes));
  }

  Floats operator()(const float* samples, std::ptrdiff_t hop, int n_frames) {
    Floats rows(static_cast<std::size_t>(n_frames * plan_.n_bins));
    // Whatever an earlier batch left behind must not matter.
    std::fill(scratch_.begin(), scratch_.end(), std::nanf(""));
    dsp::kernels().mel(plan_, samples, hop, n_frames, scratch_.data(), rows.data());
    return rows;
  }

 private:
  dsp::RealFft fft_;
  dsp::MelPlan plan_;
  Floats window_;
  std::vector<std::int32_t> bins_;
  Floats weights_;
  dsp::AlignedFloats scratch_;
};

/// Largest error, in units of the frame's largest power times a float's precision times log2 n.
double relative_error(int n, std::uint32_t seed) {
  const Floats x = Random(seed).samples(static_cast<std::size_t>(n));
  const Floats got = PowerSpectrum(n)(x.data(), 1, 1);
  const auto want = dft_power(x);
  double worst = 0;
  double largest = 0;
  for (std::size_t k = 0; k < want.size(); ++k) {
    // A NaN must not slip through the comparison.
    const double error = std::isfinite(got[k]) ? std::abs(got[k] - want[k]) : INFINITY;
    worst = std::max(worst, error);
    largest = std::max(largest, want[k]);
  }
  return worst / (largest * 0x1p-23 * std::log2(n));
}

/// Factors to 5 have butterflies; a larger one is a plain sum, whose rounding grows with its length.
double allowed_error(int n) {
  for (const int factor : {2, 3, 5}) {
    while (n % factor == 0) n /= factor;
  }
  return n == 1 ? 1 : 3;
}

}  // namespace

TEST_CASE("real FFT: every length to 600 equals the definition") {
  for (int n = 2; n <= 600; ++n) {
    const double error = relative_error(n, static_cast<std::uint32_t>(n));
    CAPTURE(n);
    CHECK(error < allowed_error(n));
  }
}

TEST_CASE("real FFT: lengths of common front ends equal the definition") {
  for (const int n : {882, 1000, 1024, 1103, 2048, 4096, 8192}) {
    const double error = relative_error(n, 7);
    CAPTURE(n);
    CHECK(error < allowed_error(n));
  }
}

TEST_CASE("real FFT: a frame's numbers don't depend on its lane or its neighbours") {
  const int lanes = dsp::kernels().lanes;
  for (const int n : {2, 3, 7, 16, 30, 49, 77, 256, 400, 512, 882}) {
    CAPTURE(n);
    const int hop = n / 2 + 1;
    PowerSpectrum spectrum(n);
    const Floats x = Random(8).samples(static_cast<std::size_t>(n + hop * (2 * lanes - 1)));
    std::vector<Floats> alone;
    for (int t = 0; t < 2 * lanes; ++t) alone.push_back(spectrum(x.data() + t * hop, hop, 1));
    bool same = true;
    for (int first = 0; first < lanes; ++first) {
      for (int count = 1; count <= lanes; ++count) {
        Floats want;
        for (int t = first; t < first + count; ++t) {
          const Floats& frame = alone[static_cast<std::size_t>(t)];
          want.insert(want.end(), frame.begin(), frame.end());
        }
        same = same && same_bits(spectrum(x.data() + first * hop, hop, count), want);
      }
    }
    CHECK(same);
  }
}
