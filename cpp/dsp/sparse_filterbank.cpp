#include "dsp/sparse_filterbank.hpp"

#include <algorithm>
#include <limits>

#include "core/error.hpp"

namespace fastaudio::dsp {

std::vector<int> SparseFilterbank::empty_bands() const {
  std::vector<int> empty;
  for (std::size_t b = 0; b < first.size(); ++b) {
    if (offset[b] == offset[b + 1]) empty.push_back(static_cast<int>(b));
  }
  return empty;
}

void SparseFilterbank::add(int first_bin, const std::vector<double>& band, int n_bins) {
  const int n = static_cast<int>(band.size());
  const int padded = FilterPlan::padded(n);
  const int start = std::max(0, std::min(first_bin, n_bins - padded));
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  check_build();
  if (weights.size() > kMost - static_cast<std::size_t>(padded)) {
    throw ValueError(
        "filterbank: expected at most 2**31 - 1 weights in all bands, got more; take fewer bands, "
        "narrower ones, or a shorter transform");
  }
  std::vector<float> row(static_cast<std::size_t>(padded), 0.0f);
  for (int k = 0; k < n; ++k) {
    row[static_cast<std::size_t>(first_bin - start + k)] =
        static_cast<float>(band[static_cast<std::size_t>(k)]);
  }
  weights.insert(weights.end(), row.begin(), row.end());
  first.push_back(start);
  offset.push_back(static_cast<std::int32_t>(weights.size()));
}

FilterPlan SparseFilterbank::plan() const {
  return {static_cast<int>(first.size()), first.data(), offset.data(), weights.data()};
}

}  // namespace fastaudio::dsp
