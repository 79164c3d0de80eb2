#pragma once

#include "core/options.hpp"

namespace fastaudio {

class SpectralRolloff final : public NodeOf<SpectralRolloff> {
 public:
  static constexpr const char* name = "SpectralRolloff";
  static constexpr const char* doc =
      R"(Finds the frequency below which a given part of a spectrum's magnitude lies.

Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; values below 0 count as 0
Output: rows [1]        Hz: the frequency of the first bin at which the running sum reaches
        `roll_percent` of the whole; 0 for silence
Latency: none
Source: librosa 0.11 `feature.spectral_rolloff`, which sums in float32 if its input is float32, and may
        therefore choose a neighbouring bin; this node sums in float64

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
    >>> (spectrum >> fa.SpectralRolloff())(tone)[30].tolist()
    [1031.25]
)";
  struct Options {
    double roll_percent = 0.85;
    static constexpr auto fields() {
      return std::tuple{Field{"roll_percent", &Options::roll_percent, Range{0.0001, 0.9999}, "",
                              "Share of the whole, as a fraction of 1."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
