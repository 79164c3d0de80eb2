/// Designs the low-pass filters of a resampler.
#pragma once

#include <vector>

namespace fastaudio::dsp {

/// A Kaiser-windowed sinc that is continuous in time; frequencies are in cycles per input sample.
class LowPass {
 public:
  /// `width` is that of the transition, in whose middle `cutoff` lies.
  LowPass(double attenuation_db, double cutoff, double width);

  /// It is zero at this many samples from its centre, and beyond.
  double half() const { return half_; }

  /// Returns how many taps cover it at any phase.
  int taps() const;

  /// Returns the height at `t` samples from the centre, up to a factor.
  double at(double t) const;

  /// Returns `n` taps whose centre lies `fraction` of a sample after index `reach`. Their sum is 1.
  std::vector<float> row(int n, int reach, double fraction) const;

 private:
  double beta_;
  double cutoff_;
  double half_;
};

/// Returns the attenuation of a filter that is zero at `half` samples from its centre, in dB.
double attenuation_db(double width, double half);

/// Returns the shortest half-band low-pass that attenuates enough, by its taps at distances 1, 3, 5, ... to
/// each side. Its transition is `width` cycles per sample wide.
std::vector<float> shortest_half_band(double attenuation_db, double width);

}  // namespace fastaudio::dsp
