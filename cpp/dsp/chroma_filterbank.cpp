#include "dsp/chroma_filterbank.hpp"

#include <algorithm>
#include <cmath>

namespace fastaudio::dsp {

namespace {

double gaussian(double x) { return std::exp(-0.5 * x * x); }

/// Returns x modulo n, in [0, n).
double wrap(double x, double n) {
  const double rest = std::fmod(x, n);
  return rest < 0 ? rest + n : rest;
}

}  // namespace

Buffer<float> make_chroma_filterbank(const ChromaFilters& filters) {
  const auto n_chroma = static_cast<std::size_t>(filters.n_chroma);
  const double n = filters.n_chroma;
  const double lowest = 440 * std::pow(2, filters.tuning / n) / 16;  // A0: octave 0 begins here
  const auto pitch = [&](double bin) { return n * std::log2(bin * filters.bin_hz / lowest); };
  const double half = std::nearbyint(n / 2);
  const std::size_t rotation = filters.base_c ? n_chroma / 12 * 3 : 0;  // moves class C from place 3 to 0

  Buffer<float> weights(n_chroma * filters.n_bins);
  std::vector<double> column(n_chroma);
  for (std::size_t k = 0; k < filters.n_bins; ++k) {
    check_build();
    // 0 Hz has no pitch, so it gets one far below the first bin's, and its width covers all classes.
    const double next = pitch(static_cast<double>(k + 1));
    const double at = k == 0 ? next - 1.5 * n : pitch(static_cast<double>(k));
    const double width = std::max(next - at, 1.0);
    double power = 0;
    for (std::size_t c = 0; c < n_chroma; ++c) {
      const double distance = wrap(at - static_cast<double>(c) + half, n) - half;
      column[c] = gaussian(2 * distance / width);
      power += column[c] * column[c];
    }
    double gain = power > 0 ? 1 / std::sqrt(power) : 1;
    if (filters.octwidth) gain *= gaussian((at / n - filters.ctroct) / *filters.octwidth);
    for (std::size_t c = 0; c < n_chroma; ++c) {
      weights[(c + n_chroma - rotation) % n_chroma * filters.n_bins + k] =
          static_cast<float>(gain * column[c]);
    }
  }
  return weights;
}

}  // namespace fastaudio::dsp
