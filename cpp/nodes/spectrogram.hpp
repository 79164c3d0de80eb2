#pragma once

#include "nodes/support/spectral.hpp"

namespace fastaudio {

class Spectrogram final : public NodeOf<Spectrogram> {
 public:
  static constexpr const char* name = "Spectrogram";
  static constexpr const char* doc = R"(Computes the short-time spectrum of a mono signal.

Input:  samples [n_samples]         full scale +-1, at `sample_rate`
Output: frames  [n_frames, n_bins]  magnitude ** power of n_bins = n_fft // 2 + 1 bins, or
        [n_frames, n_bins, 2], real and imaginary parts, if power is None; one row every
        `hop_length` samples
Latency: half a frame if centred, otherwise one frame
Source: librosa 0.11 `stft` (same defaults); torchaudio 2.8 `Spectrogram`

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256)
    >>> spectrum(np.zeros(16_000, dtype=np.float32)).shape
    (63, 257)
)";
  struct Options : FrameOptions {
    std::optional<double> power = 2;
    static constexpr auto fields() {
      return std::tuple_cat(
          frame_fields<Options>(),
          std::tuple{Field{"power", &Options::power, Range{0.01, 10}, "",
                           "Exponent of the magnitude: 1 for magnitude, 2 for power; None for complex."}});
    }
  };

  explicit Spectrogram(Options options);
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(options().sample_rate); }
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return front_.locality(); }

 private:
  SpectralFront front_;
};

}  // namespace fastaudio
