#include "dsp/real_fft.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fastaudio::dsp {

namespace {

std::vector<int> factorise(int n) {
  std::vector<int> factors;
  for (const int radix : {4, 2, 3, 5}) {
    for (; n % radix == 0; n /= radix) factors.push_back(radix);
  }
  for (int radix = 7; n > 1; radix += 2) {
    if (radix > n / radix) radix = n;  // what is left is prime
    for (; n % radix == 0; n /= radix) factors.push_back(radix);
  }
  return factors;
}

/// exp(-2 pi i k / n), appended as two floats.
void append_root(std::vector<float>& table, std::int64_t k, std::int64_t n) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  table.push_back(static_cast<float>(std::cos(angle)));
  table.push_back(static_cast<float>(std::sin(angle)));
}

}  // namespace

RealFft::RealFft(int n_fft) : n_fft_(n_fft), points_(n_fft % 2 ? n_fft : n_fft / 2) {
  int length = points_;
  for (const int radix : factorise(points_)) {
    Stage stage{radix, length, {}, {}};
    const int part = length / radix;
    if (part > 1) {
      for (int j = 0; j < part; ++j) {
        for (int p = 1; p < radix; ++p) append_root(stage.twiddle, std::int64_t{j} * p, length);
      }
    }
    if (radix > 5) {
      for (int k = 0; k < radix; ++k) append_root(stage.root, k, radix);
    }
    stages_.push_back(std::move(stage));
    length = part;
  }
  for (int k = 0; k < points_; ++k) {
    int rest = k;
    int place = 0;
    for (const Stage& stage : stages_) {
      place += rest % stage.radix * (stage.length / stage.radix);
      rest /= stage.radix;
    }
    order_.push_back(place);
  }
  for (int k = 0; k <= n_fft / 4; ++k) append_root(split_, k, n_fft);
}

void RealFft::describe(MelPlan& plan) const {
  plan.n_fft = n_fft_;
  plan.n_bins = n_fft_ / 2 + 1;
  plan.order = order_.data();
  plan.split = split_.data();
  plan.stages.n_stages = static_cast<int>(stages_.size());
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    const Stage& stage = stages_[s];
    plan.stages.radix[s] = stage.radix;
    plan.stages.length[s] = stage.length;
    plan.stages.twiddle[s] = stage.twiddle.empty() ? nullptr : stage.twiddle.data();
    plan.stages.root[s] = stage.root.empty() ? nullptr : stage.root.data();
    if (stage.radix > 5) plan.max_radix = std::max(plan.max_radix, stage.radix);
  }
}

}  // namespace fastaudio::dsp
