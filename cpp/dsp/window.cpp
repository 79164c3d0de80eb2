#include "dsp/window.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fastaudio::dsp {

double bessel_i0(double x) {
  double term = 1;
  double total = 1;
  for (int k = 1; term > 1e-17 * total; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    total += term;
  }
  return total;
}

namespace {

/// Returns a window's value at `phase`, which goes from 0 to 2 pi over the window; `peak` is bessel_i0(beta).
double window_value(std::string_view shape, double phase, double beta, double peak) {
  if (shape == "hann") return 0.5 - 0.5 * std::cos(phase);
  if (shape == "hamming") return 0.54 - 0.46 * std::cos(phase);
  if (shape == "blackman") return 0.42 - 0.5 * std::cos(phase) + 0.08 * std::cos(2 * phase);
  if (shape == "povey") return std::pow(0.5 - 0.5 * std::cos(phase), 0.85);
  if (shape == "kaiser") {
    const double x = phase / std::numbers::pi - 1;
    return bessel_i0(beta * std::sqrt(std::max(0.0, 1 - x * x))) / peak;
  }
  return 1.0;  // rectangular
}

}  // namespace

std::vector<float> make_window(std::string_view name, int win_length, int n_fft, bool at_start, double beta) {
  constexpr std::string_view kSuffix = "_symmetric";
  const bool symmetric = name.ends_with(kSuffix);
  if (symmetric) name.remove_suffix(kSuffix.size());
  std::vector<float> window(static_cast<std::size_t>(n_fft), 0.0f);
  const std::size_t start = at_start ? 0 : static_cast<std::size_t>((n_fft - win_length) / 2);
  if (win_length == 1) {  // a single sample has no shape
    window[start] = 1.0f;
    return window;
  }
  const double peak = bessel_i0(beta);
  const int period = symmetric ? win_length - 1 : win_length;
  for (int i = 0; i < win_length; ++i) {
    const double phase = 2 * std::numbers::pi * i / period;
    window[start + static_cast<std::size_t>(i)] = static_cast<float>(window_value(name, phase, beta, peak));
  }
  return window;
}

}  // namespace fastaudio::dsp
