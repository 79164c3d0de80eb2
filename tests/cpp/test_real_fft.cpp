#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "helpers.hpp"
#include "references.hpp"
#include "spectra.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// Noise; a single sample, whose spectrum is flat; a tone between two bins.
std::vector<Floats> signals(int n) {
  const auto size = static_cast<std::size_t>(n);
  Random random(static_cast<std::uint32_t>(n));
  Floats impulse(size, 0.0f);
  impulse[static_cast<std::size_t>(random.integer(0, n - 1))] = 1;
  Floats tone(size);
  for (std::size_t i = 0; i < size; ++i) {
    tone[i] = static_cast<float>(std::sin(0.37 + 2 * std::numbers::pi * 0.123 * static_cast<double>(i)));
  }
  return {random.samples(size), impulse, tone};
}

/// The unit for rounding errors of a transform in float32: half an ulp of a float at 1, for each doubling of
/// the length.
double unit(int n) { return 0x1p-24 * std::log2(n); }

/// Largest error of a bin, over the largest magnitude and `unit`.
double forward_error(const Spectra& spectra, const Dft& dft, const Floats& x) {
  const int n = static_cast<int>(x.size());
  const Floats got = spectrum_rows(dsp::kernels(), spectra.plan, {}, x.data(), n, 1);
  const Bins want = dft(x);
  REQUIRE(got.size() == 2 * want.size());
  double worst = 0;
  double largest = 0;
  for (std::size_t k = 0; k < want.size(); ++k) {
    const double error = std::abs(std::complex<double>(got[2 * k], got[2 * k + 1]) - want[k]);
    worst = std::max(worst, std::isfinite(error) ? error : INFINITY);
    largest = std::max(largest, std::abs(want[k]));
  }
  return worst / (largest * unit(n));
}

/// The bounds hold for every length, whatever its factors; they are about twice what is reached.
void check_length(int n) {
  CAPTURE(n);
  const Spectra spectra(n);
  const Dft dft(static_cast<std::size_t>(n));
  for (const Floats& x : signals(n)) {
    CHECK(forward_error(spectra, dft, x) < 2);
  }
}

}  // namespace

TEST_CASE("real FFT: the reference equals the definition") {
  for (const int n : {2, 3, 8, 45, 127, 600, 1103}) {
    CAPTURE(n);
    const Floats x = Random(6).samples(static_cast<std::size_t>(n));
    const Bins bins = Dft(x.size())(x);
    const std::vector<double> want = dft_power(x);
    REQUIRE(bins.size() == want.size());
    for (std::size_t k = 0; k < want.size(); ++k) REQUIRE(std::abs(std::norm(bins[k]) - want[k]) < 1e-10 * n);
  }
}

TEST_CASE("real FFT: every length to 600 equals the reference") {
  for (int n = 2; n <= 600; ++n) check_length(n);
}

TEST_CASE("real FFT: long ones equal the reference") {
  // Powers of two, 5-smooth numbers, with factors 7, 11, 13, and primes, doubled or not (a chirp).
  for (const int n :
       {640,   882,   960,   1000,  1024,  1103,  1200,  1323,  1536,  1859,  2047,  2048,  2310,
        2401,  3000,  4096,  4099,  4410,  6561,  7919,  8192,  9973,  10000, 12167, 15625, 16384,
        19683, 22050, 28561, 30030, 32749, 32768, 44100, 48000, 50000, 59049, 65498, 65521, 65536}) {
    check_length(n);
  }
}
