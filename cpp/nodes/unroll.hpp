#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Unroll final : public NodeOf<Unroll> {
 public:
  static constexpr const char* name = "Unroll";
  static constexpr const char* doc =
      R"(Lays out the rows within patches, such as a network's scores for each frame, as rows in time.

Input:  patches [n_patches, n_rows, ...]: row j of patch k happens j / rate_hz after the patch begins
Output: rows [n, ...], row n of which begins at n / rate_hz; names of labels stay
Latency: that of the patches, and up to a row more where their steps aren't whole numbers of rows; for "mean"
        and "hamming" also that of the `context`

Patches begin on the grid of rows, at the nearest row: a step that isn't a whole number of rows (36,164 samples
of 256 each, say) is counted as a fraction, so that rounding never adds up, and no row is more than half a row
from where it was. By default rows share the span of a patch evenly: 589 in 10 s come at 58.9 Hz. Rows
that reach over one another (windows of 2 s, one per second) do so again. Give
`rate_hz` if rows reach less far or farther; those that begin after their patch has ended are left out.

Where patches overlap, "trim" takes each row from the patch in which it lies farther from the edge, "mean"
the mean of all, and "hamming" their mean with the weights of a Hamming window over the patch, as pyannote.audio
does. Of a last patch that `Patches` or `Each` has padded, rows that begin after the end of what these cut are
left out.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> patches = np.array([[[1], [2], [3], [4]], [[5], [6], [7], [8]]], dtype=np.float32)
    >>> fa.Unroll()(patches)[:, 0].tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    >>> fa.Unroll().output_specs(fa.StreamSpec(rate_hz=0.5, shape=[4, 1]))[""].rate_hz  # 2 s each
    2.0
)";
  struct Options {
    std::optional<double> rate_hz;
    std::string overlap = "trim";
    int context = 0;
    static constexpr auto fields() {
      return std::tuple{
          Field{"rate_hz", &Options::rate_hz, Range{1e-6, 768000}, "Hz",
                "Rate of the rows; None spreads those after `context` evenly over the span of a patch."},
          Field{"overlap", &Options::overlap, Choices{"trim mean hamming"},
                "Which of several patches give a row: one, or all by their mean, weighted or not."},
          Field{"context", &Options::context, Range{0, 1000000}, "rows",
                "Rows at the front of a patch that lie before its beginning, as those do that a network "
                "makes of the `context` of Patches."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  double receptive_field_s(const StreamSpec& input) const override;
};

}  // namespace fastaudio
