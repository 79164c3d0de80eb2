#include "dsp/k_weighting.hpp"

#include <cmath>
#include <numbers>

namespace fastaudio::dsp {

KWeighting::KWeighting(double sample_rate) {
  {
    constexpr double kCentre_hz = 1681.974450955533;
    constexpr double kGain_db = 3.999843853973347;
    constexpr double kQ = 0.7071752369554196;
    constexpr double kSlope = 0.4996667741545416;
    const double k = std::tan(std::numbers::pi * kCentre_hz / sample_rate);
    const double high = std::pow(10.0, kGain_db / 20);
    const double band = std::pow(high, kSlope);
    const double a0 = 1 + k / kQ + k * k;
    shelf_ = {(high + band * k / kQ + k * k) / a0, 2 * (k * k - high) / a0,
              (high - band * k / kQ + k * k) / a0, 2 * (k * k - 1) / a0, (1 - k / kQ + k * k) / a0};
  }
  constexpr double kCentre_hz = 38.13547087602444;
  constexpr double kQ = 0.5003270373238773;
  const double k = std::tan(std::numbers::pi * kCentre_hz / sample_rate);
  const double a0 = 1 + k / kQ + k * k;
  high_pass_ = {1, -2, 1, 2 * (k * k - 1) / a0, (1 - k / kQ + k * k) / a0};
}

}  // namespace fastaudio::dsp
