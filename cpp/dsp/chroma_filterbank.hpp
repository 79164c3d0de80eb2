/// Filters that fold the bins of a spectrum onto pitch classes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace fastaudio::dsp {

struct ChromaFilters {
  double bin_hz = 0;
  std::size_t n_bins = 0;
  int n_chroma = 12;
  double tuning = 0;  ///< of A440, in classes
  double ctroct = 5;
  std::optional<double> octwidth = 2;
  bool base_c = true;
};

/// Weights [n_chroma][n_bins], dense.
///
/// A bin's weights are a Gaussian over the circle of classes around its pitch, as wide as the bin, of
/// unit l2 norm; then, with `octwidth`, times a Gaussian over octaves around `ctroct` (after Ellis,
/// Chroma Analysis and Synthesis, 2007, as librosa 0.11 `filters.chroma` has it).
std::vector<float> make_chroma_filterbank(const ChromaFilters& filters);

}  // namespace fastaudio::dsp
