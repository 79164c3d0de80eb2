#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Sigmoid final : public NodeOf<Sigmoid> {
 public:
  static constexpr const char* name = "Sigmoid";
  static constexpr const char* doc =
      R"(Turns logits into scores from 0 to 1, each by itself: for labels that may be true together.

Input:  rows of any shape; names of labels stay
Output: rows of the same shape: 1 / (1 + exp(-x))
Latency: none

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> print(fa.Sigmoid()(np.array([[0, 2, -1000]], dtype=np.float32)).round(3))
    [[0.5   0.881 0.   ]]
)";
  using Options = NoOptions;

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
