#include "dsp/mel_filterbank.hpp"

#include <algorithm>
#include <cmath>

namespace fastaudio::dsp {

namespace {

constexpr double kHzPerMel = 200.0 / 3;
constexpr double kBreakHz = 1000;
constexpr double kBreakMel = kBreakHz / kHzPerMel;
const double kLogStep = std::log(6.4) / 27;

}  // namespace

double hz_to_mel(double hz, std::string_view mel_scale) {
  if (mel_scale == "htk") return 2595 * std::log10(1 + hz / 700);
  return hz < kBreakHz ? hz / kHzPerMel : kBreakMel + std::log(hz / kBreakHz) / kLogStep;
}

double mel_to_hz(double mel, std::string_view mel_scale) {
  if (mel_scale == "htk") return 700 * (std::pow(10, mel / 2595) - 1);
  return mel < kBreakMel ? mel * kHzPerMel : kBreakHz * std::exp(kLogStep * (mel - kBreakMel));
}

SparseFilterbank make_mel_filterbank(const MelFilters& filters) {
  const auto to_mel = [&](double hz) { return hz_to_mel(hz, filters.mel_scale); };
  const double low = to_mel(filters.f_min);
  const double step = (to_mel(filters.f_max) - low) / (filters.n_mels + 1);
  const auto edge = [&](int i) { return mel_to_hz(low + step * i, filters.mel_scale); };
  // The triangles' sides are straight over x, which is Hz or mel.
  const auto corner = [&](int i) { return filters.linear_in_mel ? low + step * i : edge(i); };
  std::vector<double> x;
  for (int k = 0; k <= filters.n_fft / 2; ++k) {
    const double f = k * filters.sample_rate / filters.n_fft;
    x.push_back(filters.linear_in_mel ? to_mel(f) : f);
  }
  SparseFilterbank bank;
  for (int b = 0; b < filters.n_mels; ++b) {
    const double left = corner(b);
    const double centre = corner(b + 1);
    const double right = corner(b + 2);
    std::vector<double> weights;
    int first = 0;
    double total = 0;
    // Bins outside the triangle have no weight, so the search for its bins may skip them.
    const auto inside = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), left) - x.begin());
    for (std::size_t k = inside; k < x.size() && x[k] <= right; ++k) {
      const double weight = std::min((x[k] - left) / (centre - left), (right - x[k]) / (right - centre));
      if (!(weight > 0)) continue;  // it is NaN where two edges are the same number
      if (weights.empty()) first = static_cast<int>(k);
      weights.push_back(weight);
      total += weight;
    }
    double gain = 1;
    if (filters.norm == "slaney") gain = 2 / (edge(b + 2) - edge(b));
    if (filters.norm == "unit_sum") gain = 1 / total;
    for (double& weight : weights) weight *= gain;
    bank.add(first, weights);
  }
  return bank;
}

}  // namespace fastaudio::dsp
