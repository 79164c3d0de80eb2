#pragma once

#include "core/options.hpp"

namespace fastaudio {

class SpectralFlux final : public NodeOf<SpectralFlux> {
 public:
  static constexpr const char* name = "SpectralFlux";
  static constexpr const char* doc =
      R"(Measures how much louder the bands became since `lag` rows before: large where a sound begins.

Input:  rows [n_bands]  of any unit: librosa takes dB, and the papers take magnitudes
Output: rows [1]        mean or sum over the bands of max(0, S[t] - S[t - lag]), in the input's unit, where
        S[t] is row t, or the root of the sum of their squares ("l2"); the first `lag` rows are 0. Unless
        `rectify`, S[t] - S[t - lag] counts where it is negative, too, by its magnitude
Latency: none

librosa's `center=True` moves its result n_fft // (2 * hop_length) rows later; this node doesn't. Essentia's
`Flux` takes magnitudes: it is aggregate="l2" without `rectify` by default, aggregate="sum" with norm="L1";
its first row is compared with silence.

Source: Masri, PhD thesis, University of Bristol, 1996; Dixon, DAFx 2006, section 2.2 (sums magnitudes);
        Boeck and Widmer, DAFx 2013, for `max_size`; librosa 0.11 `onset.onset_strength(center=False)` (same
        defaults)

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.SpectralFlux()(np.array([[0, 0], [3, 1], [1, 2]], dtype=np.float32)).tolist()
    [[0.0], [2.0], [0.5]]
)";
  struct Options {
    int lag = 1;
    int max_size = 1;
    std::string aggregate = "mean";
    bool rectify = true;
    static constexpr auto fields() {
      return std::tuple{
          Field{"lag", &Options::lag, Range{1, 4095}, "rows",
                "How far back the row lies that each row is compared with."},
          Field{"max_size", &Options::max_size, Range{1, 255}, "bands",
                "Each band is compared with the largest of this many bands around it in the "
                "earlier row, so that vibrato isn't taken for onsets; 1 takes the band alone."},
          Field{"aggregate", &Options::aggregate, Choices{"mean sum l2"},
                "Whether the mean over the bands comes out, their sum, or their Euclidean norm."},
          Field{"rectify", &Options::rectify, "Whether only rises count, and falls don't."}};
    }
  };

  using NodeOf::NodeOf;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{.before = options().lag}; }

 private:
  std::vector<Output> describe(const StreamSpec& input) const override;
};

}  // namespace fastaudio
