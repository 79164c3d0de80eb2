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

std::vector<int> SparseFilterbank::empty_bands() const {
  std::vector<int> empty;
  for (std::size_t b = 0; b < first.size(); ++b) {
    if (offset[b] == offset[b + 1]) empty.push_back(static_cast<int>(b));
  }
  return empty;
}

SparseFilterbank make_mel_filterbank(double sample_rate, int n_fft, int n_mels, double f_min, double f_max,
                                     std::string_view mel_scale, bool slaney_norm) {
  const double low = hz_to_mel(f_min, mel_scale);
  const double step = (hz_to_mel(f_max, mel_scale) - low) / (n_mels + 1);
  const auto edge = [&](int i) { return mel_to_hz(low + step * i, mel_scale); };
  SparseFilterbank bank;
  bank.offset.push_back(0);
  for (int b = 0; b < n_mels; ++b) {
    const double left = edge(b);
    const double centre = edge(b + 1);
    const double right = edge(b + 2);
    const double gain = slaney_norm ? 2 / (right - left) : 1;
    int first = -1;
    for (int k = 0; k <= n_fft / 2; ++k) {
      const double f = k * sample_rate / n_fft;
      const double weight = std::min((f - left) / (centre - left), (right - f) / (right - centre));
      if (!(weight > 0)) continue;  // NaN where two edges are the same number
      if (first < 0) first = k;
      bank.weights.push_back(static_cast<float>(gain * weight));
    }
    bank.first.push_back(std::max(first, 0));
    bank.offset.push_back(static_cast<std::int32_t>(bank.weights.size()));
  }
  return bank;
}

}  // namespace fastaudio::dsp
