#include "dsp/resampler.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "dsp/window.hpp"

namespace fastaudio::dsp {

namespace {

struct Quality {
  double pass_band;       ///< share of the lower Nyquist frequency that is kept
  double attenuation_db;  ///< attenuation of the stop band
  int phases;             ///< phases of an interpolated table; the error falls with their square
};

Quality quality_of(std::string_view name) {
  if (name == "fast") return {0.80, 60, 128};
  if (name == "best") return {0.95, 126, 2048};
  // This is better than promised, and half-way down at the same frequency as soxr HQ, on whose output many
  // published models were trained.
  return {0.914, 103, 1024};
}

constexpr std::int64_t kMaxExactPhases = 640;
constexpr double kHalvingRatio = 2.5;  // below this, a half-band's transition is too steep to pay

double sinc(double x) {
  const double a = std::numbers::pi * x;
  return std::abs(a) < 1e-12 ? 1.0 : std::sin(a) / a;
}

/// A Kaiser-windowed sinc that is continuous in time; frequencies are in cycles per input sample.
class LowPass {
 public:
  LowPass(const Quality& quality, double nyquist)
      : beta_(0.1102 * (quality.attenuation_db - 8.7)),
        cutoff_(nyquist * (1 + quality.pass_band) / 2),
        half_((quality.attenuation_db - 7.95) / (14.36 * nyquist * (1 - quality.pass_band)) / 2) {}

  /// Returns how many taps cover it at any phase.
  int taps() const { return static_cast<int>(std::ceil(2 * half_)) + 2; }

  /// Returns `n` taps whose centre lies `fraction` of a sample after index `reach`.
  std::vector<float> row(int n, int reach, double fraction) const {
    check_build();
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

/// Returns a half-band low-pass of `n` taps at distances 1, 3, 5, ... to each side. Its transition is `width`
/// cycles per sample wide. It ends at distance 2 n, where the next tap would be zero anyway.
std::vector<double> half_band_taps(int n, double width) {
  const double half = 2.0 * n;
  const double attenuation_db = 7.95 + 14.36 * width * 2 * half;
  const double beta = 0.1102 * std::max(attenuation_db - 8.7, 0.0);
  std::vector<double> side;
  double total = 0;
  for (int i = 0; i < n; ++i) {
    const double t = 2 * i + 1;
    side.push_back(sinc(t / 2) * bessel_i0(beta * std::sqrt(1 - (t / half) * (t / half))));
    total += side.back();
  }
  for (double& tap : side) tap /= total * 4;  // with 1/2 in the middle, the gain is 1
  return side;
}

/// Returns the largest gain above the transition.
double stop_band_gain(const std::vector<double>& side, double width) {
  constexpr int kSteps = 256;
  const double edge = 0.25 + width / 2;
  double largest = 0;
  for (int step = 0; step <= kSteps; ++step) {
    const double frequency = edge + (0.5 - edge) * step / kSteps;
    double gain = 0.5;
    for (std::size_t i = 0; i < side.size(); ++i) {
      gain += 2 * side[i] * std::cos(2 * std::numbers::pi * frequency * static_cast<double>(2 * i + 1));
    }
    largest = std::max(largest, std::abs(gain));
  }
  return largest;
}

/// Returns the shortest half-band low-pass that attenuates enough. It is searched for, because Kaiser's
/// estimate is off by many dB for so few taps.
Table<float> shortest_half_band(const Quality& quality, double width) {
  const double wanted = std::pow(10.0, -quality.attenuation_db / 20);
  int n = 1;
  for (; stop_band_gain(half_band_taps(n, width), width) > wanted; ++n) check_build();
  const std::vector<double> side = half_band_taps(n, width);
  return {side.begin(), side.end()};
}

}  // namespace

std::int64_t ResamplerTable::outputs_of(std::int64_t n) const {
  const std::int64_t divisor = std::gcd(input_rate_, output_rate_);
  const std::int64_t up = output_rate_ / divisor;
  const std::int64_t down = input_rate_ / divisor;
  return n / down * up + (n % down * up + down - 1) / down;  // no product of n overflows
}

ResamplerTable::ResamplerTable(int input_rate, int output_rate, std::string_view quality)
    : input_rate_(input_rate), output_rate_(output_rate) {
  const Quality q = quality_of(quality);
  double rate = input_rate;
  std::int64_t scale = 1;
  for (; rate >= kHalvingRatio * output_rate; rate /= 2, scale *= 2) {
    // Nothing may alias below the output's Nyquist frequency; a later stage removes what lies above it.
    halving_taps_.push_back(shortest_half_band(q, 0.5 - output_rate / rate));
    const auto reach = static_cast<std::int64_t>(2 * halving_taps_.back().size() - 1);
    before_ += scale * reach;
    after_ += scale * (reach - 1);
  }
  for (const auto& side : halving_taps_) halvings_.push_back({static_cast<int>(side.size()), side.data()});

  const LowPass filter(q, 0.5 * std::min(1.0, output_rate / rate));
  const std::int64_t scaled = output_rate * scale;
  const std::int64_t divisor = std::gcd(std::int64_t{input_rate}, scaled);
  plan_.up = scaled / divisor;
  plan_.down = input_rate / divisor;
  plan_.taps = filter.taps();
  constexpr int kGroup = ResamplePlan::kGroup;
  const bool exact = plan_.up <= kMaxExactPhases;
  const int after = plan_.taps - (plan_.taps / 2 - 1);
  // An output's taps are placed by the sample before it, which is up to one sample before its own time.
  before_ += scale * (plan_.taps - after + (plan_.up > 1 ? 1 : 0));
  after_ += scale * after;
  // Taps that fill up a row have no weight, and come first, so that no output waits for their samples.
  if (!exact) plan_.taps = (plan_.taps + kGroup - 1) / kGroup * kGroup;
  reach_ = plan_.taps - after;
  if (!exact) {
    plan_.phases = q.phases;
    table_.reserve(static_cast<std::size_t>(q.phases + 1) * static_cast<std::size_t>(plan_.taps));
    for (int r = 0; r <= plan_.phases; ++r) {
      const auto row = filter.row(plan_.taps, reach_, static_cast<double>(r) / plan_.phases);
      table_.insert(table_.end(), row.begin(), row.end());
    }
    plan_.table = table_.data();
    return;
  }

  if (plan_.up < 4 * kGroup) {  // longer cycles consist of whole groups
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
