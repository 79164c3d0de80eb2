#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Preemphasis final : public NodeOf<Preemphasis> {
 public:
  static constexpr const char* name = "Preemphasis";
  static constexpr const char* doc =
      R"(Weakens low frequencies of a signal: each sample minus a part of the one before it.

Input:  samples [n_samples] at `sample_rate`
Output: samples [n_samples]: y[n] = x[n] - coeff * x[n - 1], with 0 before the first; if advanced,
        y[n] = x[n + 1] - coeff * x[n], which is one sample shorter
Latency: none; one sample if advanced

`MelSpectrogram(preemphasis=...)` does this within each frame instead, as Kaldi does.

Source: torchaudio 2.8 `functional.preemphasis`, for coeff below 1; advanced: EfficientAT and PaSST, whose
        convolution with [-0.97, 1] has no padding

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> x = np.array([1, 2, 4], dtype=np.float32)
    >>> fa.Preemphasis(coeff=0.5)(x).tolist()
    [1.0, 1.5, 3.0]
    >>> fa.Preemphasis(coeff=0.5, advanced=True)(x).tolist()
    [1.5, 3.0]
)";
  struct Options {
    int sample_rate = 22050;
    double coeff = 0.97;
    bool advanced = false;
    static constexpr auto fields() {
      return std::tuple{
          Field{"sample_rate", &Options::sample_rate, Range{100, 768000}, "Hz", "Rate of the input."},
          Field{"coeff", &Options::coeff, Range{-1, 1}, "", "Part of the earlier sample that is subtracted."},
          Field{"advanced", &Options::advanced,
                "Whether results come one sample earlier; the first sample then only weakens the second."}};
    }
  };

  using NodeOf::NodeOf;
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(options().sample_rate); }
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
};

}  // namespace fastaudio
