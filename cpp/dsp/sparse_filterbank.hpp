/// Filters over the bins of a spectrum, of which each covers few.
#pragma once

#include <cstdint>
#include <vector>

#include "core/budget.hpp"
#include "dsp/kernels_spectrum.hpp"

namespace fastaudio::dsp {

/// Band b weighs bins [first[b], first[b] + offset[b + 1] - offset[b]), zeros at an end included.
struct SparseFilterbank {
  Table<std::int32_t> first;
  Table<std::int32_t> offset{0};
  Table<float> weights;

  /// Adds a band; `weights` begin at bin `first` of `n_bins`. Throws ValueError if there are more weights in
  /// all than offsets can count.
  void add(int first, const std::vector<double>& weights, int n_bins);

  /// Points into these vectors.
  FilterPlan plan() const;

  /// Bands without a single bin, which stay constant.
  std::vector<int> empty_bands() const;
};

}  // namespace fastaudio::dsp
