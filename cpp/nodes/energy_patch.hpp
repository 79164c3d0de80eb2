#pragma once

#include "core/options.hpp"

namespace fastaudio {

class EnergyPatch final : public NodeOf<EnergyPatch> {
 public:
  static constexpr const char* name = "EnergyPatch";
  static constexpr const char* doc = R"(Finds the patch of consecutive rows in which a clip is loudest.

Input:  rows [n_frames, ...] of power or magnitude, or their logarithm
Output: patch [1, length, ...] at the end, its values unchanged; none for an empty clip
Latency: the whole clip, since the patch comes out at its end; memory doesn't grow with the clip

The energy of a patch is the sum of all its values. If the values are power, that is the energy itself; if
they are logarithms, it is what the code of the paper below computes. Patches begin every `hop` rows; if
several are equally loud, the first is taken.

Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
        audio and tags, ICASSP 2021; its code, xavierfav/ae-w2v-attention, uses hop=12

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> rows = np.array([[1], [3], [2], [0]], dtype=np.float32)
    >>> fa.EnergyPatch(length=2)(rows).tolist()
    [[[3.0], [2.0]]]
)";
  struct Options {
    int length = 96;
    int hop = 1;
    std::string last = "repeat";
    double pad_value = 0;
    static constexpr auto fields() {
      return std::tuple{
          Field{"length", &Options::length, Range{1, 1000000}, "rows", "Number of rows.", Place::shown},
          Field{"hop", &Options::hop, Range{1, 1000000}, "rows", "Step between the compared patches."},
          Field{"last", &Options::last, Choices{"pad repeat"},
                "How a clip shorter than the patch is filled up: with pad_value, or by repeating its rows."},
          Field{"pad_value", &Options::pad_value, Range{-1e30, 1e30}, "", "Value of padded rows."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
};

}  // namespace fastaudio
