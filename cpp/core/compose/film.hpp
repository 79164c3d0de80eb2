/// A branch's rows scaled and shifted by another's.
#pragma once

#include "core/compose/joined.hpp"

namespace fastaudio {

class Film final : public CompositeOf<Film, Joined> {
 public:
  static constexpr const char* name = "Film";
  static constexpr const char* doc =
      R"(Rows of one branch scaled and shifted by another's: gamma * content + beta.

Input:  what both branches take
Output: rows [n_rows, ...] of the content's shape and rate
Latency: as long as the slower branch takes; with "average" up to one step between rows longer

`condition` has two outputs, named "gamma" and "beta", each with the content's shape. In the paper both are
linear layers of the condition: write `v >> {"gamma": f, "beta": h}` with any two nodes, or take one OnnxModel
whose outputs have these names. Weights stay in their ONNX files, and v is computed once.

Beside a content row that begins at t stands the condition's last row that began at t or before; at the end,
content rows that lack one are dropped. The rates have to meet again within 65536 rows.

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
  static constexpr std::array child_arguments{
      ChildArgument{"content", "The branch that is scaled and shifted.", Form::node, Role::joined},
      ChildArgument{"condition", "The branch that gives 'gamma' and 'beta'.", Form::node, Role::condition}};
  struct Options {
    std::string align = "repeat";
    static constexpr auto fields() {
      return std::tuple{Field{"align", &Options::align, Choices{"repeat average"},
                              "repeat: take the condition's last row that began by then; average: if the "
                              "condition is faster, take the mean of its rows that begin within the content "
                              "row's step."}};
    }
  };

  /// Throws ValueError where the branches don't fit one input, or each other.
  Film(NodePtr content, NodePtr condition, Options options);

  std::string summary() const override { return name; }
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;

 private:
  /// Content, gamma and beta.
  std::vector<AlignedRows> aligned(const StreamSpec& input) const override;
  void join_specs(const std::vector<AlignedRows>& rows, StreamSpec& spec) const override;
};

}  // namespace fastaudio
