#include "dsp/resampler.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace fastaudio::dsp {

namespace {

struct Quality {
  double pass_band;       ///< share of the lower Nyquist frequency kept
  double attenuation_db;  ///< of the stop band
  int phases;             ///< of an interpolated table: linear error falls with its square
};

Quality quality_of(std::string_view name) {
  if (name == "fast") return {0.80, 60, 128};
  if (name == "best") return {0.95, 126, 2048};
  // Beyond what is promised: half-way down at the same frequency as soxr HQ, on whose output many
  // published models were trained.
  return {0.914, 103, 1024};
}

constexpr std::int64_t kMaxExactPhases = 640;

/// Modified Bessel function of the first kind, order 0, by its series.
double bessel_i0(double x) {
  double term = 1;
  double total = 1;
  for (int k = 1; term > 1e-17 * total; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    total += term;
  }
  return total;
}

double sinc(double x) {
  const double a = std::numbers::pi * x;
  return std::abs(a) < 1e-12 ? 1.0 : std::sin(a) / a;
}

/// A Kaiser-windowed sinc, continuous in time; frequencies in cycles per input sample.
class LowPass {
 public:
  LowPass(const Quality& quality, double nyquist)
      : beta_(0.1102 * (quality.attenuation_db - 8.7)),
        cutoff_(nyquist * (1 + quality.pass_band) / 2),
        half_((quality.attenuation_db - 7.95) / (14.36 * nyquist * (1 - quality.pass_band)) / 2) {}

  /// Taps that cover it at any phase.
  int taps() const { return static_cast<int>(std::ceil(2 * half_)) + 2; }

  /// `n` taps whose centre lies `fraction` of a sample after index `reach`.
  std::vector<float> row(int n, int reach, double fraction) const {
    std::vector<double> values;
    double total = 0;
    for (int i = 0; i < n; ++i) {
      const double t = i - reach - fraction;
      const double edge = 1 - (t / half_) * (t / half_);
      const double window = edge > 0 ? bessel_i0(beta_ * std::sqrt(edge)) : 0;
      values.push_back(sinc(2 * cutoff_ * t) * window);
      total += values.back();
    }
    // Every phase passes DC with gain 1, so a constant stays constant.
    std::vector<float> row;
    for (const double value : values) row.push_back(static_cast<float>(value / total));
    return row;
  }

 private:
  double beta_;
  double cutoff_;
  double half_;
};

}  // namespace

ResamplerTable::ResamplerTable(int input_rate, int output_rate, std::string_view quality) {
  const Quality q = quality_of(quality);
  const LowPass filter(q, 0.5 * std::min(1.0, static_cast<double>(output_rate) / input_rate));
  const int divisor = std::gcd(input_rate, output_rate);
  plan_.up = output_rate / divisor;
  plan_.down = input_rate / divisor;
  plan_.taps = filter.taps();
  constexpr int kGroup = ResamplePlan::kGroup;
  if (plan_.up > kMaxExactPhases) {
    plan_.taps = (plan_.taps + kGroup - 1) / kGroup * kGroup;
    reach_ = plan_.taps / 2 - 1;
    plan_.phases = q.phases;
    for (int r = 0; r <= plan_.phases; ++r) {
      const auto row = filter.row(plan_.taps, reach_, static_cast<double>(r) / plan_.phases);
      table_.insert(table_.end(), row.begin(), row.end());
    }
    plan_.table = table_.data();
    return;
  }

  reach_ = plan_.taps / 2 - 1;
  if (plan_.up < 4 * kGroup) {  // longer cycles of whole groups
    const std::int64_t repeat = kGroup / std::gcd(plan_.up, std::int64_t{kGroup});
    plan_.up *= repeat;
    plan_.down *= repeat;
  }
  for (std::int64_t p = 0; p < plan_.up; ++p) {
    start_.push_back(static_cast<std::int32_t>(p * plan_.down / plan_.up));
  }
  plan_.start = start_.data();
  plan_.n_groups = static_cast<int>((plan_.up + kGroup - 1) / kGroup);
  for (std::size_t p = 0; p < start_.size(); ++p) {
    plan_.group_taps = std::max(plan_.group_taps, start_[p] - start_[p / kGroup * kGroup] + plan_.taps);
  }
  const auto group_size = static_cast<std::size_t>(plan_.group_taps) * kGroup;
  table_.assign(static_cast<std::size_t>(plan_.n_groups) * group_size, 0.0f);
  for (std::size_t p = 0; p < start_.size(); ++p) {
    const auto step = static_cast<std::int64_t>(p) * plan_.down % plan_.up;
    const auto row =
        filter.row(plan_.taps, reach_, static_cast<double>(step) / static_cast<double>(plan_.up));
    const auto shift = static_cast<std::size_t>(start_[p] - start_[p / kGroup * kGroup]);
    float* group = &table_[p / kGroup * group_size];
    for (std::size_t t = 0; t < row.size(); ++t) group[(shift + t) * kGroup + p % kGroup] = row[t];
  }
  plan_.groups = table_.data();
}

}  // namespace fastaudio::dsp
