#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Delta final : public NodeOf<Delta> {
 public:
  static constexpr const char* name = "Delta";
  static constexpr const char* doc =
      R"(Slope of each value over time, from a polynomial fitted to neighbouring rows.

Input:  rows of any shape
Output: as many rows of the same shape: derivatives of order `order`, per row
Latency: width // 2 rows, `order` times that for "htk"; width - 1 if `mode` is "interp", whose row 0 needs
        all of the first `width`

A clip with fewer than `width` rows is treated as by "nearest" if `mode` is "interp", where librosa
refuses it.

Source: Savitzky and Golay, Analytical Chemistry 36(8), 1964; librosa 0.11 `feature.delta`, whose
        defaults these are; HTK Book 3.5, section 5.9, as in Kaldi `add-deltas`

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
      return std::tuple{
          Field{"width", &Options::width, Range{3, 4095}, "rows", "Rows of a fit; odd."},
          Field{"order", &Options::order, Range{1, 8}, "",
                "1 for the slope, 2 for its slope; also the polynomial's order, below width."},
          Field{"mode", &Options::mode, Choices{"interp nearest htk"},
                "Rows near the ends: interp: from the polynomial of the first or last `width` rows; nearest: "
                "the end rows repeated; htk: as nearest, with the slope taken `order` times over."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override {
    // The first rows are interpolated from a whole window.
    return Locality{
        .before = reach(), .after = reach() + 1, .first = options().mode == "interp" ? options().width : 0};
  }

 private:
  std::vector<Output> describe(const StreamSpec& input) const override;
  int reach() const { return options().width / 2 * (options().mode == "htk" ? options().order : 1); }
};

}  // namespace fastaudio
