#pragma once

#include "nodes/support/window_options.hpp"

namespace fastaudio {

class Statistics final : public NodeOf<Statistics> {
 public:
  static constexpr const char* name = "Statistics";
  static constexpr const char* doc =
      R"(Mean, deviation, extremes and percentiles of each element over the rows of a clip or of a window.

Input:  rows [n_rows, ...]
Output: rows [1, n_kinds, ...] at the end of the clip, none for an empty one; or one row a window,
        [n_windows, n_kinds, ...]
Latency: the clip, it waits for the end; or window - 1 rows

Over the clip, percentiles keep all rows until the end: memory grows with the clip. The other kinds
need none. Windows begin at row 0 and every `hop` rows; rows left at the end are dropped, but a clip
shorter than a window yields one, of the rows that there are.

Source: standard deviation of the whole population; percentiles between two values are linear, as in
        NumPy's `percentile`

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> rows = np.array([[1, 10], [2, 20], [3, 60]], dtype=np.float32)
    >>> fa.Statistics(kinds=["mean", "max", "p50"])(rows).tolist()
    [[[2.0, 30.0], [3.0, 60.0], [2.0, 20.0]]]
)";
  struct Options {
    std::vector<std::string> kinds = {"mean", "std"};
    std::optional<int> window;
    std::optional<int> hop;
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{
              "kinds", &Options::kinds,
              "Among mean, std, min, max, and percentiles such as p25 or p97.5; they come in this order.",
              Place::shown}},
          window_fields<Options>());
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;

 private:
  std::vector<Output> describe(const StreamSpec& input) const override;
};

}  // namespace fastaudio
