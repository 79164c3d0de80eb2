#include "dsp/low_pass.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/budget.hpp"
#include "dsp/window.hpp"

namespace fastaudio::dsp {

namespace {

double sinc(double x) {
  const double a = std::numbers::pi * x;
  return std::abs(a) < 1e-12 ? 1.0 : std::sin(a) / a;
}

/// Returns a half-band low-pass of `n` taps at distances 1, 3, 5, ... to each side. Its transition is `width`
/// cycles per sample wide. It ends at distance 2 n, where the next tap would be zero anyway.
std::vector<double> half_band_taps(int n, double width) {
  const double half = 2.0 * n;
  const double beta = 0.1102 * std::max(attenuation_db(width, half) - 8.7, 0.0);
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

}  // namespace

LowPass::LowPass(double attenuation_db, double cutoff, double width)
    : beta_(0.1102 * (attenuation_db - 8.7)),
      cutoff_(cutoff),
      half_((attenuation_db - 7.95) / (14.36 * width) / 2) {}

int LowPass::taps() const { return static_cast<int>(std::ceil(2 * half_)) + 2; }

double LowPass::at(double t) const {
  const double edge = 1 - (t / half_) * (t / half_);
  return edge > 0 ? sinc(2 * cutoff_ * t) * bessel_i0(beta_ * std::sqrt(edge)) : 0;
}

std::vector<float> LowPass::row(int n, int reach, double fraction) const {
  check_build();
  std::vector<double> values;
  double total = 0;
  for (int i = 0; i < n; ++i) {
    values.push_back(at(i - reach - fraction));
    total += values.back();
  }
  // Every phase passes DC with gain 1, so a constant stays constant.
  std::vector<float> row;
  for (const double value : values) row.push_back(static_cast<float>(value / total));
  return row;
}

double attenuation_db(double width, double half) { return 7.95 + 14.36 * width * 2 * half; }

/// Its length is searched for, because Kaiser's estimate is off by many dB for so few taps.
std::vector<float> shortest_half_band(double attenuation_db, double width) {
  const double wanted = std::pow(10.0, -attenuation_db / 20);
  int n = 1;
  for (; stop_band_gain(half_band_taps(n, width), width) > wanted; ++n) check_build();
  const std::vector<double> side = half_band_taps(n, width);
  return {side.begin(), side.end()};
}

}  // namespace fastaudio::dsp
