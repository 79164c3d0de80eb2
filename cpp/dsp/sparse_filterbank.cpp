#include "dsp/sparse_filterbank.hpp"

#include <limits>

#include "core/error.hpp"

namespace fastaudio::dsp {

std::vector<int> SparseFilterbank::empty_bands() const {
  std::vector<int> empty;
  for (std::size_t b = 0; b < sum_of.size(); ++b) {
    const auto i = static_cast<std::size_t>(sum_of[b]);
    if (offset[i] == offset[i + 1]) empty.push_back(static_cast<int>(b));
  }
  return empty;
}

void SparseFilterbank::add(int first_bin, const std::vector<double>& band) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  check_build();
  if (weights.size() > kMost - band.size()) {
    throw ValueError(
        "filterbank: expected at most 2**31 - 1 weights in all bands, got more; take fewer bands, "
        "narrower ones, or a shorter transform");
  }
  for (const double weight : band) weights.push_back(static_cast<float>(weight));
  sum_of.push_back(static_cast<std::int32_t>(first.size()));
  first.push_back(first_bin);
  offset.push_back(static_cast<std::int32_t>(weights.size()));
}

void SparseFilterbank::add_again(std::size_t band) { sum_of.push_back(sum_of[band]); }

FilterPlan SparseFilterbank::plan() const {
  return {.n_bands = static_cast<int>(sum_of.size()),
          .n_sums = static_cast<int>(first.size()),
          .sum_of = sum_of.data(),
          .first = first.data(),
          .offset = offset.data(),
          .weights = weights.data()};
}

}  // namespace fastaudio::dsp
