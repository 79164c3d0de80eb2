/// Filters over the bins of a spectrum, of which each covers few.
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/kernels_spectrum.hpp"

namespace fastaudio::dsp {

/// Band b weighs bins [first[b], first[b] + offset[b + 1] - offset[b]), zeros at an end included.
struct SparseFilterbank {
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> offset{0};
  std::vector<float> weights;

  /// Adds a band; `weights` begin at bin `first` of `n_bins`.
  void add(int first, const std::vector<double>& weights, int n_bins);

  /// Points into these vectors.
  FilterPlan plan() const;

  /// Bands without a single bin, which stay constant.
  std::vector<int> empty_bands() const;
};

}  // namespace fastaudio::dsp
