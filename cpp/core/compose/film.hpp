/// A branch's rows scaled and shifted by another's.
#pragma once

#include "core/compose/align.hpp"
#include "core/compose/branched.hpp"
#include "core/options.hpp"

namespace fastaudio {

class Film final : public Branched {
 public:
  static constexpr const char* name = "Film";
  static constexpr const char* doc =
      R"(Rows of one branch scaled and shifted by another's: gamma * content + beta.

Input:  what both branches take
Output: rows [n_rows, ...] of the content's shape and rate
Latency: that of the branch slower to answer; with "average", up to one row's step more

`condition` has two outputs, named "gamma" and "beta", each with the content's shape. In the paper both are
linear layers of the condition: `v >> {"gamma": f, "beta": h}` for any two nodes, or one OnnxModel with
outputs so named. Weights stay in their ONNX files, and v is computed once.

Beside a content row that begins at t comes the condition's last row that began at t or before; at the end
rows that lack one are dropped. Rates have to meet again within 65536 rows.

Source: Perez et al., "FiLM: visual reasoning with a general conditioning layer", AAAI 2018; on pre-trained
        audio features: Hung and Lerch, "Feature-informed embedding space regularization for audio
        classification", 2022, arXiv:2206.04850: l_new = f(v) * l + h(v)

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64)
    >>> second = mel >> fa.Log() >> fa.Statistics(kinds=["mean"], window=100)
    >>> frames = mel >> fa.Log() >> fa.Statistics(kinds=["mean"], window=10)
    >>> film = fa.Film(frames, second >> {"gamma": fa.L2Normalize(), "beta": fa.Normalize()})
    >>> film(np.zeros(32_000, dtype=np.float32)).shape
    (20, 1, 64)
)";
  struct Options {
    std::string align = "repeat";
    static constexpr auto fields() {
      return std::tuple{Field{"align", &Options::align, Choices{"repeat average"},
                              "repeat: the condition's last row that began by then; average: where it is the "
                              "faster one, its rows that begin within the content row's step, averaged."}};
    }
  };

  /// Throws ValueError where the branches don't fit one input, or each other.
  Film(NodePtr content, NodePtr condition, Options options);

  const Options& options() const { return options_; }
  const NodePtr& content() const { return branches()[0].second; }
  const NodePtr& condition() const { return branches()[1].second; }
  std::string repr() const override;
  std::string summary() const override { return name; }
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  double receptive_field_s(const StreamSpec& input) const override;

 private:
  /// Content, gamma and beta; and which of the condition's outputs is gamma.
  std::vector<Source> sources(const StreamSpec& input, std::size_t& gamma) const;
  Alignment alignment(const std::vector<Source>& sources) const;
  std::optional<Alignment::Reach> reach() const;

  Options options_;
};

}  // namespace fastaudio
