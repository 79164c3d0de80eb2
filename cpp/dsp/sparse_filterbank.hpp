/// Filters over the bins of a spectrum, of which each covers few.
#pragma once

#include <cstdint>
#include <vector>

#include "core/budget.hpp"
#include "dsp/kernels_spectrum.hpp"

namespace fastaudio::dsp {

/// Band b is the sum i = sum_of[b] over bins [first[i], first[i] + offset[i + 1] - offset[i]).
struct SparseFilterbank {
  Table<std::int32_t> sum_of;
  Table<std::int32_t> first;
  Table<std::int32_t> offset{0};
  Table<float> weights;

  /// Adds a band; `weights` begin at bin `first`. Throws ValueError if there are more weights in all than
  /// offsets can count.
  void add(int first, const std::vector<double>& weights);

  /// Adds a band that is the same as an earlier one.
  void add_again(std::size_t band);

  /// Points into these vectors.
  FilterPlan plan() const;

  /// Bands without a single bin, which stay constant.
  std::vector<int> empty_bands() const;
};

}  // namespace fastaudio::dsp
