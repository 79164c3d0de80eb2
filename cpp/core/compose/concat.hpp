/// Branches over one input whose rows, of different rates perhaps, are joined.
#pragma once

#include "core/compose/align.hpp"
#include "core/compose/branched.hpp"
#include "core/options.hpp"

namespace fastaudio {

class Concat final : public Branched {
 public:
  static constexpr const char* name = "Concat";
  static constexpr const char* doc =
      R"(Rows of several branches over one input joined into one vector, aligned in time.

Input:  what every branch takes
Output: rows [n_rows, d_1 + d_2 + ...] at the rate of one branch: each branch's row in turn, one of several
        axes as a vector
Latency: that of the slowest to answer; with "average", up to one row's step more

Row k of a branch at r Hz begins at k / r seconds. Beside a row that begins at t comes each branch's last row
that began at t or before: exactly, in whole numbers, over a stream of any length. At the end rows that lack
any branch's are dropped: let a branch pad its last patch to keep them. Rows keep the time stamps of the
branch whose rate they have; labels are dropped, the unit stays where all have the same. Rates have to meet
again within 65536 rows, and branches that give one row a clip join only their like.

Source: Hung and Lerch, "Feature-informed embedding space regularization for audio classification", 2022,
        arXiv:2206.04850, who repeat VGGish's rows (1 s) ten times beside OpenL3's (0.1 s), and repeat or
        average both to a network's own rate

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64)
    >>> slow = mel >> fa.Log() >> fa.Statistics(window=96)
    >>> fast = mel >> fa.Log() >> fa.Statistics(kinds=["max"], window=10)
    >>> fa.Concat(slow, fast)(np.zeros(48_000, dtype=np.float32)).shape
    (29, 192)
)";
  struct Options {
    std::optional<int> rate_of;
    std::string align = "repeat";
    static constexpr auto fields() {
      return std::tuple{Field{"rate_of", &Options::rate_of, Range{0, 255}, "",
                              "Index of the branch whose rate comes out; None for the fastest."},
                        Field{"align", &Options::align, Choices{"repeat average"},
                              "repeat: a branch's last row that began by then, so that a slower one's are "
                              "repeated; average: a "
                              "faster one's rows that begin within the row's step, averaged."}};
    }
  };

  /// At least one branch. Throws ValueError where they don't fit one input, or each other.
  Concat(std::vector<NodePtr> branches, Options options);

  const Options& options() const { return options_; }
  std::string repr() const override;
  std::string summary() const override;
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  double receptive_field_s(const StreamSpec& input) const override;

 private:
  std::vector<Source> sources(const StreamSpec& input) const;
  Alignment alignment(const std::vector<Source>& sources) const;
  std::optional<Alignment::Reach> reach() const;

  Options options_;
};

}  // namespace fastaudio
