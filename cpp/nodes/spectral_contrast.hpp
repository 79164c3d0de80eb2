#pragma once

#include "core/options.hpp"

namespace fastaudio {

class SpectralContrast final : public NodeOf<SpectralContrast> {
 public:
  static constexpr const char* name = "SpectralContrast";
  static constexpr const char* doc = R"(Peaks over valleys of a spectrum, in octave bands.

Input:  rows [n_bins]       magnitude, of Spectrogram(power=1)
Output: rows [n_bands + 1]  dB, or magnitude if `linear`: the mean of the largest `quantile` of each
        band's bins, less that of the smallest; below `f_min`, then an octave each from there, the
        last band up to the end
Latency: none
Source: Jiang et al., Music type classification by spectral contrast feature, ICME 2002; librosa 0.11
        `feature.spectral_contrast`. In dB, librosa lifts peaks and valleys to at most 80 dB below the
        clip's largest peak, or valley. No stream knows these, so nothing is lifted here: numbers
        differ where a clip has all but silent bands. For librosa's, take rows of part="peak" and
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
          Field{"n_bands", &Options::n_bands, Range{1, 32}, "bands", "Number of octaves above it."},
          Field{"quantile", &Options::quantile, Range{0.0001, 0.9999}, "",
                "Part of a band's bins that make its peak, and its valley; one bin at least."},
          Field{"linear", &Options::linear,
                "Whether magnitudes are subtracted, else 10 log10 of them, of 1e-10 at least."},
          Field{"part", &Options::part, Choices{"contrast peak valley"},
                "What comes out: the difference, or one of its parts."}};
    }
  };

  using NodeOf::NodeOf;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }

 private:
  std::vector<Output> describe(const StreamSpec& input) const override;
};

}  // namespace fastaudio
