/// Makes triangular filters on the harmonics of semitones, as sparse rows.
#pragma once

#include <vector>

#include "dsp/sparse_filterbank.hpp"

namespace fastaudio::dsp {

struct HarmonicFilters {
  double sample_rate;
  int n_fft;
  int n_harmonic;
  int semitone_scale;            ///< bands per semitone
  const std::vector<double>& q;  ///< one number, one per harmonic, or one per filter (harmonic by harmonic)
};

/// Returns the number of bands of one harmonic: they go from C1 (MIDI 24) to the note whose last harmonic is
/// the Nyquist frequency.
int harmonic_levels(double sample_rate, int n_harmonic, int semitone_scale);

/// Returns n_harmonic * harmonic_levels filters, harmonic by harmonic. Each has height 1 at its centre f and
/// is (0.1079 f + 24.7) / Q wide; the bins lie at linspace(0, sample_rate / 2, n_fft / 2 + 1). Source: Won,
/// Chun, Nieto, Serra, Data-driven harmonic filters, ICASSP 2020.
SparseFilterbank make_harmonic_filterbank(const HarmonicFilters& filters);

}  // namespace fastaudio::dsp
