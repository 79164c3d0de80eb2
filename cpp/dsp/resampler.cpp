#include "dsp/resampler.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "core/error.hpp"
#include "dsp/low_pass.hpp"

namespace fastaudio::dsp {

namespace {

struct Quality {
  double pass_band;       ///< share of the lower Nyquist frequency that is kept
  double attenuation_db;  ///< attenuation of the stop band
  int phases;             ///< phases of an interpolated table; the error falls with their square
};

Quality quality_of(std::string_view name) {
  if (name == "fast") return {0.80, 60, 128};  // so few taps miss their aim by up to 5 dB
  if (name == "best") return {0.95, 126, 2048};
  // This is better than promised, and half-way down at the same frequency as soxr HQ, on whose output many
  // published models were trained.
  return {0.914, 103, 1024};
}

constexpr std::int64_t kMaxExactPhases = 640;
constexpr double kHalvingRatio = 2.5;  // below this, a half-band's transition is too steep to pay
constexpr double kBetterDb = 15;

/// Returns how many outputs a low-pass before the last stage makes of each sample, or 0 if there is none. The
/// sharp low-pass costs least where its outputs are few and have one phase or two; the last stage then needs
/// few taps.
int up_of_low_pass(double ratio, bool has_many_phases) {
  if (ratio >= 2) return 2;
  if (!has_many_phases) return 0;
  return ratio > 0.75 ? 2 : 1;
}

/// Kernels keep what a filter reaches in arrays of a fixed size.
void require_side(std::size_t n_side, int most) {
  if (n_side <= static_cast<std::size_t>(most)) return;
  throw ValueError("Resample: expected a filter of at most " + std::to_string(most) +
                   " taps to each side, got " + std::to_string(n_side) + "; take a lower quality");
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
  for (; rate >= kHalvingRatio * output_rate; rate /= 2, scale_ *= 2) {
    // Nothing may alias below the output's Nyquist frequency; a later stage removes what lies above it.
    const auto side = shortest_half_band(q.attenuation_db, 0.5 - output_rate / rate);
    require_side(side.size(), HalvePlan::kMaxSide);
    halving_taps_.emplace_back(side.begin(), side.end());
    const auto reach = static_cast<std::int64_t>(2 * side.size() - 1);
    before_ += scale_ * reach;
    after_ += scale_ * (reach - 1);
  }
  for (const auto& side : halving_taps_) halvings_.push_back({static_cast<int>(side.size()), side.data()});

  const double nyquist = 0.5 * std::min(1.0, output_rate / rate);
  const LowPass sharp(q.attenuation_db, nyquist * (1 + q.pass_band) / 2, nyquist * (1 - q.pass_band));
  for (const int up : {1, 2}) {
    set_ratio(up);
    if (plan_.up != 1 || plan_.down != up + 1) continue;  // 1 for 2, or 2 for 3
    low_pass_.down = up + 1;
    make_low_pass(sharp, up);
    return;
  }
  set_ratio(1);
  const int first_up = up_of_low_pass(output_rate / rate, plan_.up > kMaxExactPhases);
  if (first_up == 0) {
    make_last(sharp, q.phases);
    return;
  }

  set_ratio(first_up);
  make_low_pass(sharp, first_up);
  if (plan_.up == 1 && plan_.down == 1) return;
  // The images of what is left are far away, so that few taps remove them. What both filters leave adds up,
  // so the second one is the better.
  const double stop = nyquist / first_up;
  make_last(LowPass(q.attenuation_db + kBetterDb, 0.5, 1 - 2 * stop),
            first_up == 2 ? q.phases / 2 : q.phases);
}

void ResamplerTable::set_ratio(std::int64_t up) {
  const std::int64_t input = up * input_rate_;
  const std::int64_t output = scale_ * output_rate_;
  const std::int64_t divisor = std::gcd(input, output);
  plan_.up = output / divisor;
  plan_.down = input / divisor;
  // Inputs are counted before all stages.
  n_in_ = scale_ * plan_.down;
  n_out_ = up * plan_.up;
}

void ResamplerTable::make_low_pass(const LowPass& filter, int up) {
  const int n_side = static_cast<int>(filter.half() + (up == 2 ? 0.5 : 0.0));
  require_side(static_cast<std::size_t>(n_side), LowPassPlan::kMaxSide);
  std::vector<double> at, between;
  double sum_at = filter.at(0), sum_between = 0;
  for (int j = 0; j < n_side; ++j) {
    at.push_back(filter.at(j + 1));
    between.push_back(filter.at(j + 0.5));
    sum_at += 2 * at.back();
    sum_between += 2 * between.back();
  }
  for (std::size_t j = 0; j < at.size(); ++j) {
    low_pass_taps_.push_back(static_cast<float>(at[j] / sum_at));
    if (up == 2) low_pass_taps_.push_back(static_cast<float>(between[j] / sum_between));
  }
  low_pass_.up = up;
  low_pass_.n_side = n_side;
  low_pass_.middle = static_cast<float>(filter.at(0) / sum_at);
  low_pass_.taps = low_pass_taps_.data();
  before_ += scale_ * (n_side + 1);
  after_ += scale_ * (n_side + 1 + low_pass_.ahead());
}

void ResamplerTable::make_last(const LowPass& filter, int phases) {
  constexpr int kGroup = ResamplePlan::kGroup;
  const bool exact = plan_.up <= kMaxExactPhases;
  plan_.taps = filter.taps();
  const int after = plan_.taps - (plan_.taps / 2 - 1);
  const int before = plan_.taps - after;
  if (low_pass_.up == 0) {
    // An output's taps are placed by the sample before it, which is up to one sample before its own time.
    before_ += scale_ * (before + (plan_.up > 1 ? 1 : 0));
    after_ += scale_ * after;
  } else {
    before_ += scale_ * ((before + low_pass_.up - 1) / low_pass_.up);
    // Behind an output half-way between samples, an even number of taps ends half a sample later.
    after_ += scale_ * ((after - 2 + low_pass_.up) / low_pass_.up);
  }
  // Taps that fill up a row have no weight, and come first, so that no output waits for their samples.
  if (!exact) plan_.taps = (plan_.taps + kernels().lanes - 1) / kernels().lanes * kernels().lanes;
  reach_ = plan_.taps - after;
  if (!exact) {
    plan_.phases = phases;
    table_.reserve(static_cast<std::size_t>(phases + 1) * static_cast<std::size_t>(plan_.taps));
    for (int r = 0; r <= phases; ++r) {
      const auto row = filter.row(plan_.taps, reach_, static_cast<double>(r) / phases);
      table_.insert(table_.end(), row.begin(), row.end());
    }
    plan_.table = table_.data();
    return;
  }

  if (plan_.up < 4 * kGroup) {  // longer cycles consist of whole groups
    const std::int64_t repeat = kGroup / std::gcd(plan_.up, std::int64_t{kGroup});
    for (auto* n : {&plan_.up, &plan_.down, &n_in_, &n_out_}) *n *= repeat;
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
