#pragma once

#include "core/options.hpp"

namespace fastaudio {

class MFCC final : public NodeOf<MFCC> {
 public:
  static constexpr const char* name = "MFCC";
  static constexpr const char* doc =
      R"(Computes cepstral coefficients: the discrete cosine transform of log-mel rows.

Input:  rows [n_rows, n_mels] of logarithms
Output: rows [n_rows, n_mfcc], coefficient 0 first
Latency: none

The logarithm has to come before this node: librosa takes it in dB with `top_db` 80 over the clip, Kaldi
and HTK take ln. The transform is of type II; Kaldi's is the "ortho" one.

Source: Davis and Mermelstein, IEEE Trans. ASSP 28(4), 1980; librosa 0.11 `feature.mfcc` (same defaults);
        Kaldi `compute-mfcc-feats`; HTK Book 3.5, section 5.6

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=40)
    >>> (mel >> fa.Log(kind="dB") >> fa.MFCC(n_mfcc=13))(np.zeros(16_000, dtype=np.float32)).shape
    (63, 13)
)";
  struct Options {
    int n_mfcc = 20;
    std::string norm = "ortho";
    double lifter = 0;
    std::string lifter_kind = "librosa";
    static constexpr auto fields() {
      return std::tuple{
          Field{"n_mfcc", &Options::n_mfcc, Range{1, 4096}, "", "Number of coefficients, at most n_mels."},
          Field{"norm", &Options::norm, Choices{"ortho none"},
                "ortho: the transform's rows have unit length; none: 2 cos(pi k (2 n + 1) / (2 n_mels))."},
          Field{"lifter", &Options::lifter, Range{0, 10000}, "",
                "L of the lifter, which raises the higher coefficients; 0 turns it off."},
          Field{"lifter_kind", &Options::lifter_kind, Choices{"librosa htk"},
                "librosa: coefficient k is multiplied by 1 + L/2 sin(pi (k + 1) / L); htk, as "
                "in Kaldi: it is multiplied by 1 + L/2 sin(pi k / L)."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
