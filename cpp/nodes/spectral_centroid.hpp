/// SpectralCentroid and SpectralBandwidth say where a spectrum lies, and how wide it is.
#pragma once

#include "core/options.hpp"

namespace fastaudio {

class SpectralCentroid final : public NodeOf<SpectralCentroid> {
 public:
  static constexpr const char* name = "SpectralCentroid";
  static constexpr const char* doc = R"(Computes the mean frequency of a spectrum, weighted by magnitude.

Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; values below 0 count as 0
Output: rows [1]        Hz; 0 for silence
Latency: none
Source: librosa 0.11 `feature.spectral_centroid`

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
    >>> (spectrum >> fa.SpectralCentroid())(tone)[30].round().tolist()
    [1000.0]
)";
  using Options = NoOptions;

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

class SpectralBandwidth final : public NodeOf<SpectralBandwidth> {
 public:
  static constexpr const char* name = "SpectralBandwidth";
  static constexpr const char* doc = R"(Measures how far a spectrum spreads around its centroid.

Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; values below 0 count as 0
Output: rows [1]        (sum of magnitude * |frequency - centroid| ** p) ** (1 / p), which is in Hz if
        `norm`; 0 for silence
Latency: none
Source: librosa 0.11 `feature.spectral_bandwidth`

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> noise = np.random.default_rng(0).uniform(-1, 1, 16_000).astype(np.float32)
    >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
    >>> (spectrum >> fa.SpectralBandwidth())(noise).shape
    (63, 1)
)";
  struct Options {
    double p = 2;
    bool norm = true;
    static constexpr auto fields() {
      return std::tuple{
          Field{"p", &Options::p, Range{1, 10}, "", "Exponent of the deviation: 2 for a standard deviation."},
          Field{"norm", &Options::norm, "Whether magnitudes are divided by their sum first."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
