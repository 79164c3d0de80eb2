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

}  // namespace

ResamplerTable::ResamplerTable(int input_rate, int output_rate, std::string_view quality) {
  const Quality q = quality_of(quality);
  const int divisor = std::gcd(input_rate, output_rate);
  plan_.up = output_rate / divisor;
  plan_.down = input_rate / divisor;
  plan_.interpolate = plan_.up > kMaxExactPhases;
  plan_.phases = plan_.interpolate ? q.phases : static_cast<int>(plan_.up);

  // Frequencies in cycles per input sample; Kaiser's formulas for width and shape.
  const double nyquist = 0.5 * std::min(1.0, static_cast<double>(output_rate) / input_rate);
  const double width = nyquist * (1 - q.pass_band);
  const double cutoff = nyquist * (1 + q.pass_band) / 2;
  const double beta = 0.1102 * (q.attenuation_db - 8.7);
  const double span = (q.attenuation_db - 7.95) / (14.36 * width);
  constexpr int kMultiple = 16;  // whole vectors on every instruction set
  plan_.taps = (static_cast<int>(std::ceil(span)) + 2 + kMultiple - 1) / kMultiple * kMultiple;
  reach_ = plan_.taps / 2 - 1;

  const int rows = plan_.phases + (plan_.interpolate ? 1 : 0);
  const double half = span / 2;
  table_.reserve(static_cast<std::size_t>(rows) * static_cast<std::size_t>(plan_.taps));
  std::vector<double> row(static_cast<std::size_t>(plan_.taps));
  for (int r = 0; r < rows; ++r) {
    const double fraction = static_cast<double>(r) / plan_.phases;
    double total = 0;
    for (int i = 0; i < plan_.taps; ++i) {
      const double t = i - reach_ - fraction;
      const double edge = 1 - (t / half) * (t / half);
      const double window = edge > 0 ? bessel_i0(beta * std::sqrt(edge)) / bessel_i0(beta) : 0;
      row[static_cast<std::size_t>(i)] = 2 * cutoff * sinc(2 * cutoff * t) * window;
      total += row[static_cast<std::size_t>(i)];
    }
    // Every phase passes DC with gain 1, so a constant stays constant.
    for (const double tap : row) table_.push_back(static_cast<float>(tap / total));
  }
  plan_.table = table_.data();
}

}  // namespace fastaudio::dsp
