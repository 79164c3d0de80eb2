#pragma once

#include "nodes/support/window_options.hpp"

namespace fastaudio {

class LinearSoftmaxPooling final : public NodeOf<LinearSoftmaxPooling> {
 public:
  static constexpr const char* name = "LinearSoftmaxPooling";
  static constexpr const char* doc =
      R"(Pools the probabilities of frames over a clip or a window, so that larger ones weigh more.

Input:  probabilities [n_rows, ...]
Output: one row [1, ...] at the end of the clip, none for an empty clip; or one row per window,
        [n_windows, ...]. Values are (sum of p^2) / (sum of p), or 0 if all are 0; values below 0 count as 0
Latency: the whole clip, or window - 1 rows

Windows begin at row 0 and every `hop` rows. Rows left over at the end are dropped, but a clip shorter
than a window yields one row, pooled from the rows that there are.

Source: Wang, Li & Metze, A comparison of five multiple instance learning pooling functions for sound
        event detection with weak labeling, ICASSP 2019

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.LinearSoftmaxPooling()(np.array([[0.25, 0], [0.75, 0]], dtype=np.float32)).tolist()
    [[0.625, 0.0]]
)";
  struct Options {
    std::optional<int> window;
    std::optional<int> hop;
    static constexpr auto fields() { return window_fields<Options>(); }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
};

}  // namespace fastaudio
