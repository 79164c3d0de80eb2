#pragma once

#include "nodes/support/window_options.hpp"

namespace fastaudio {

class Statistics final : public NodeOf<Statistics> {
 public:
  static constexpr const char* name = "Statistics";
  static constexpr const char* doc =
      R"(Computes the mean, deviation, extremes and percentiles of each element over a clip or a window.

Input:  rows [n_rows, ...]
Output: one row [1, n_kinds, ...] at the end of the clip, none for an empty clip; or one row per window,
        [n_windows, n_kinds, ...]
Latency: the whole clip, or window - 1 rows

Over a clip, percentiles keep all rows until the end, so that memory grows with the clip; the other kinds
keep none. Windows begin at row 0 and every `hop` rows. Rows left over at the end are dropped, but a clip
shorter than a window yields one row, computed from the rows that there are.

Source: the standard deviation is that of the whole population; percentiles interpolate linearly between
        two values, as NumPy's `percentile` does

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
          std::tuple{
              Field{"kinds", &Options::kinds,
                    "Any of mean, std, min, max, and percentiles such as p25 or p97.5; they come out in this "
                    "order.",
                    Place::shown}},
          window_fields<Options>());
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
};

}  // namespace fastaudio
