#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Softmax final : public NodeOf<Softmax> {
 public:
  static constexpr const char* name = "Softmax";
  static constexpr const char* doc =
      R"(Turns logits into scores that sum to 1: for labels of which exactly one is true.

Input:  rows [..., n]; names of labels stay
Output: rows of the same shape: exp(x) divided by the sum of exp(x) along the last axis
Latency: none

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> print(fa.Softmax()(np.array([[0, 2, 1000], [1, 1, 0]], dtype=np.float32)).round(3))
    [[0.    0.    1.   ]
     [0.422 0.422 0.155]]
)";
  using Options = NoOptions;

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
