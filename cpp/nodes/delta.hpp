#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Delta final : public NodeOf<Delta> {
 public:
  static constexpr const char* name = "Delta";
  static constexpr const char* doc =
      R"(Estimates the slope of each value over time by fitting a polynomial to neighbouring rows.

Input:  rows of any shape
Output: as many rows of the same shape: derivatives of order `order`, per row
Latency: width // 2 rows, or `order` times that if `mode` is "htk"; width - 1 rows if it is "interp",
        because row 0 then needs all of the first `width` rows

If `mode` is "interp" and a clip has fewer than `width` rows, it is treated as with "nearest"; librosa
refuses such a clip.

Source: Savitzky and Golay, Analytical Chemistry 36(8), 1964; librosa 0.11 `feature.delta` (same
        defaults); HTK Book 3.5, section 5.9, as Kaldi's `add-deltas` computes it

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.Delta(width=3)(np.array([0, 1, 2, 4, 6], dtype=np.float32)).tolist()
    [1.0, 1.0, 1.5, 2.0, 2.0]
)";
  struct Options {
    int width = 9;
    int order = 1;
    std::string mode = "interp";
    static constexpr auto fields() {
      return std::tuple{Field{"width", &Options::width, Range{3, 4095}, "rows",
                              "Number of rows in each fit; it must be odd."},
                        Field{"order", &Options::order, Range{1, 8}, "",
                              "Order of the derivative and of the polynomial, below width: 1 for the slope, "
                              "2 for its slope."},
                        Field{"mode", &Options::mode, Choices{"interp nearest htk"},
                              "How rows near the ends are computed. interp: from the polynomial of the first "
                              "or last `width` rows; nearest: as if the end rows were repeated; htk: as "
                              "nearest, with the slope taken `order` times over."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override {
    // The first rows are interpolated from a whole window.
    return Locality{
        .before = reach(), .after = reach() + 1, .first = options().mode == "interp" ? options().width : 0};
  }

 private:
  int reach() const { return options().width / 2 * (options().mode == "htk" ? options().order : 1); }
};

}  // namespace fastaudio
