#pragma once

#include "core/options.hpp"

namespace fastaudio {

class SpectralContrast final : public NodeOf<SpectralContrast> {
 public:
  static constexpr const char* name = "SpectralContrast";
  static constexpr const char* doc =
      R"(Measures how far the peaks of a spectrum rise above its valleys, in octave bands.

Input:  rows [n_bins]       magnitude, as Spectrogram(power=1) gives it
Output: rows [n_bands + 1]  dB, or magnitude if `linear`: the mean of the largest `quantile` of each
        band's bins, minus the mean of the smallest. The first band lies below `f_min`, each further one
        is an octave wide, and the last one goes on to the highest bin
Latency: none
Source: Jiang et al., Music type classification by spectral contrast feature, ICME 2002; librosa 0.11
        `feature.spectral_contrast`. In dB, librosa lifts peaks and valleys to at most 80 dB below the
        clip's largest peak, or valley. A stream doesn't know these, so nothing is lifted here: numbers
        differ where a clip has nearly silent bands. To get librosa's, take rows of part="peak" and
        part="valley" over the clip, lift each, and subtract.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> noise = np.random.default_rng(0).uniform(-1, 1, 22_050).astype(np.float32)
    >>> (fa.Spectrogram(power=1) >> fa.SpectralContrast())(noise).shape
    (44, 7)
)";
  struct Options {
    double f_min = 200;
    int n_bands = 6;
    double quantile = 0.02;
    bool linear = false;
    std::string part = "contrast";
    static constexpr auto fields() {
      return std::tuple{
          Field{"f_min", &Options::f_min, Range{0.001, 384000}, "Hz", "Upper edge of the first band."},
          Field{"n_bands", &Options::n_bands, Range{1, 32}, "bands", "Number of octave bands above f_min."},
          Field{"quantile", &Options::quantile, Range{0.0001, 0.9999}, "",
                "Share of a band's bins that makes its peak, and its valley; it is at least one bin."},
          Field{"linear", &Options::linear,
                "Whether magnitudes are subtracted; otherwise 10 log10 of them, raised to at least 1e-10."},
          Field{"part", &Options::part, Choices{"contrast peak valley"},
                "What comes out: the difference, or one of its parts."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
