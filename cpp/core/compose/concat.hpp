/// Branches over one input whose rows, possibly of different rates, are joined into one vector.
#pragma once

#include "core/compose/joined.hpp"

namespace fastaudio {

class Concat final : public CompositeOf<Concat, Joined> {
 public:
  static constexpr const char* name = "Concat";
  static constexpr const char* doc =
      R"(Rows of several branches over one input joined into one vector, aligned in time.

Input:  what every branch takes
Output: rows [n_rows, d_1 + d_2 + ...] at the rate of one branch: each branch's row in turn; a row with several
        axes is read as a vector
Latency: as long as the slowest branch takes; with "average" up to one step between rows longer

Row k of a branch at r Hz begins at k / r seconds. Beside a row that begins at t stands each branch's last row
that began at t or before. This is computed in whole numbers, so it is exact over a stream of any length. At
the end, rows that lack any branch's row are dropped; to keep them, let that branch pad its last patch. Rows
keep the time stamps of the branch whose rate they have. Labels are dropped; the unit stays if all branches
have the same. The branches' rates have to meet again within 65536 rows, and branches that give one row per
clip can only be joined with each other.

Source: Hung and Lerch, "Feature-informed embedding space regularization for audio classification", 2022,
        arXiv:2206.04850. They repeat VGGish's rows (1 s) ten times beside OpenL3's (0.1 s), and repeat or
        average both to the rate of a network

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64)
    >>> slow = mel >> fa.Log() >> fa.Statistics(window=96)
    >>> fast = mel >> fa.Log() >> fa.Statistics(kinds=["max"], window=10)
    >>> fa.Concat(slow, fast)(np.zeros(48_000, dtype=np.float32)).shape
    (29, 192)
)";
  static constexpr std::array child_arguments{
      ChildArgument{"branches", "The branches in order.", Form::variadic, Role::joined}};
  struct Options {
    std::optional<int> rate_of;
    std::string align = "repeat";
    static constexpr auto fields() {
      return std::tuple{
          Field{"rate_of", &Options::rate_of, Range{0, 255}, "",
                "Index of the branch whose rate comes out; None for the fastest."},
          Field{"align", &Options::align, Choices{"repeat average"},
                "repeat: take a branch's last row that began by then, so a slower branch's rows "
                "are repeated; average: take the mean of a faster branch's rows that begin "
                "within the row's step."}};
    }
  };

  /// At least one branch. Throws ValueError where the branches don't fit one input, or each other.
  Concat(std::vector<NodePtr> branches, Options options);

  std::string summary() const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;

 private:
  std::vector<AlignedRows> aligned(const StreamSpec& input) const override;
  void join_specs(const std::vector<AlignedRows>& rows, StreamSpec& spec) const override;
};

}  // namespace fastaudio
