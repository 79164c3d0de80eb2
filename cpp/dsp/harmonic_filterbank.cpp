#include "dsp/harmonic_filterbank.hpp"

#include <algorithm>
#include <cmath>

namespace fastaudio::dsp {

namespace {

constexpr int kLowestNote = 24;  // C1

double note_of(double hz) { return 69 + 12 * std::log2(hz / 440); }
double hz_of(double note) { return 440 * std::exp2((note - 69) / 12); }

/// Returns the equivalent rectangular bandwidth (Glasberg and Moore, Hearing Research, 1990).
double bandwidth_hz(double hz) { return 0.1079 * hz + 24.7; }

}  // namespace

int harmonic_levels(double sample_rate, int n_harmonic, int semitone_scale) {
  const double highest = std::nearbyint(note_of(sample_rate / (2 * n_harmonic)));
  return (static_cast<int>(highest) - kLowestNote) * semitone_scale;
}

SparseFilterbank make_harmonic_filterbank(const HarmonicFilters& filters) {
  const int levels = harmonic_levels(filters.sample_rate, filters.n_harmonic, filters.semitone_scale);
  const int n_bins = filters.n_fft / 2 + 1;
  const double step_hz = filters.sample_rate / 2 / (n_bins - 1);
  const auto q_of = [&](int harmonic, int level) {
    const std::size_t n = filters.q.size();
    if (n == 1) return filters.q.front();
    const auto h = static_cast<std::size_t>(harmonic);
    if (n == static_cast<std::size_t>(filters.n_harmonic)) return filters.q[h];
    return filters.q[h * static_cast<std::size_t>(levels) + static_cast<std::size_t>(level)];
  };
  // Twice a harmonic's frequency is that of half the harmonic an octave higher, and so is its band.
  const int octave = 12 * filters.semitone_scale;
  SparseFilterbank bank;
  for (int h = 0; h < filters.n_harmonic; ++h) {
    for (int level = 0; level < levels; ++level) {
      const int half = (h + 1) / 2 - 1;
      if (h % 2 == 1 && level + octave < levels && q_of(half, level + octave) == q_of(h, level)) {
        bank.add_again(static_cast<std::size_t>(half) * static_cast<std::size_t>(levels) +
                       static_cast<std::size_t>(level + octave));
        continue;
      }
      const double centre =
          (h + 1) * hz_of(kLowestNote + static_cast<double>(level) / filters.semitone_scale);
      const double half_width = bandwidth_hz(centre) / q_of(h, level) / 2;
      const int low = std::max(0, static_cast<int>(std::ceil((centre - half_width) / step_hz)));
      const int high = std::min(n_bins - 1, static_cast<int>(std::floor((centre + half_width) / step_hz)));
      std::vector<double> weights;
      for (int k = low; k <= high; ++k) {
        weights.push_back(std::max(0.0, 1 - std::abs(k * step_hz - centre) / half_width));
      }
      bank.add(low, weights);
    }
  }
  return bank;
}

}  // namespace fastaudio::dsp
