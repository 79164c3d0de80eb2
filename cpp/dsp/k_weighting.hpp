/// The filter of loudness meters: a shelf that stands for the head, then a high-pass.
#pragma once

#include <array>

namespace fastaudio::dsp {

/// Two filters of second order, one after another, at any rate from 8 kHz.
///
/// Source: ITU-R BS.1770-5, annex 1, gives the coefficients at 48 kHz; De Man, Evaluation of implementations
///         of the EBU R128 loudness measurement, AES 145, 2018, gives the analogue filters behind them
class KWeighting {
 public:
  /// What one channel remembers.
  using State = std::array<double, 4>;

  explicit KWeighting(double sample_rate);

  double operator()(double x, State& state) const {
    const double shelved = step(shelf_, x, state[0], state[1]);
    return step(high_pass_, shelved, state[2], state[3]);
  }

  /// Forgets what is too small to hear: such numbers would become denormal ones, which are slow.
  static void settle(State& state) {
    for (double& z : state) z = z > -1e-30 && z < 1e-30 ? 0 : z;
  }

 private:
  struct Biquad {
    double b0, b1, b2, a1, a2;
  };

  static double step(const Biquad& f, double x, double& z1, double& z2) {
    const double y = f.b0 * x + z1;
    z1 = f.b1 * x - f.a1 * y + z2;
    z2 = f.b2 * x - f.a2 * y;
    return y;
  }

  Biquad shelf_;
  Biquad high_pass_;
};

}  // namespace fastaudio::dsp
