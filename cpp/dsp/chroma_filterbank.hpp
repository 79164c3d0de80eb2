/// Makes filters that fold the bins of a spectrum onto pitch classes.
#pragma once

#include <cstddef>
#include <optional>

#include "core/budget.hpp"

namespace fastaudio::dsp {

struct ChromaFilters {
  double bin_hz = 0;
  std::size_t n_bins = 0;
  int n_chroma = 12;
  double tuning = 0;  ///< how far A lies above 440 Hz, in classes
  double ctroct = 5;
  std::optional<double> octwidth = 2;
  bool base_c = true;
};

/// Returns dense weights [n_chroma][n_bins].
///
/// A bin's weights are a Gaussian over the circle of classes, centred on the bin's pitch and as wide as the
/// bin, with unit l2 norm. If `octwidth` is set, they are then multiplied by a Gaussian over octaves around
/// `ctroct`. Source: Ellis, Chroma Analysis and Synthesis, 2007; librosa 0.11 `filters.chroma`.
Buffer<float> make_chroma_filterbank(const ChromaFilters& filters);

}  // namespace fastaudio::dsp
