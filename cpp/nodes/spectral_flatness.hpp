#pragma once

#include "core/options.hpp"

namespace fastaudio {

class SpectralFlatness final : public NodeOf<SpectralFlatness> {
 public:
  static constexpr const char* name = "SpectralFlatness";
  static constexpr const char* doc =
      R"(Divides the geometric by the arithmetic mean of a spectrum: 1 for white noise, near 0 for a tone.

Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; this node raises it to `power`
Output: rows [1]        ratio of the means of max(magnitude ** power, amin), in [0, 1]; 1 for silence
Latency: none
Source: librosa 0.11 `feature.spectral_flatness`

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
    >>> (spectrum >> fa.SpectralFlatness())(np.zeros(16_000, dtype=np.float32))[0].round(3).tolist()
    [1.0]
)";
  struct Options {
    double amin = 1e-10;
    double power = 2;
    static constexpr auto fields() {
      return std::tuple{
          Field{"amin", &Options::amin, Range{1e-30, 1}, "", "Lower bound of magnitude ** power."},
          Field{"power", &Options::power, Range{1, 10}, "",
                "Exponent of the magnitude: 1 for magnitude, 2 for power."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
