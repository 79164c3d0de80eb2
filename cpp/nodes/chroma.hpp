#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Chroma final : public NodeOf<Chroma> {
 public:
  static constexpr const char* name = "Chroma";
  static constexpr const char* doc = R"(Sums the power of each pitch class over all octaves.

Input:  rows [n_bins]    power, as Spectrogram(power=2) gives it
Output: rows [n_chroma]  power, each row divided by its `norm`; silence stays 0
Latency: none
Source: Ellis, Chroma Analysis and Synthesis, 2007; librosa 0.11 `feature.chroma_stft`, which estimates
        the clip's tuning unless one is given; this node takes it as an option

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> a4 = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
    >>> chroma = fa.Spectrogram() >> fa.Chroma()
    >>> "C C# D D# E F F# G G# A A# B".split()[chroma(a4)[20].argmax()]
    'A'
)";
  struct Options {
    int n_chroma = 12;
    double tuning = 0;
    double ctroct = 5;
    std::optional<double> octwidth = 2;
    std::string norm = "inf";
    bool base_c = true;
    static constexpr auto fields() {
      return std::tuple{
          Field{"n_chroma", &Options::n_chroma, Range{1, 1200}, "classes", "Number of pitch classes."},
          Field{"tuning", &Options::tuning, Range{-100, 100}, "classes", "How far A lies above 440 Hz."},
          Field{"ctroct", &Options::ctroct, Range{-20, 20}, "octaves",
                "Octave that weighs most, counted from 27.5 Hz."},
          Field{"octwidth", &Options::octwidth, Range{0.01, 100}, "octaves",
                "Width of the Gaussian weights around ctroct; None weighs all octaves alike."},
          Field{"norm", &Options::norm, Choices{"inf l1 l2 none"},
                "What becomes 1 in each row: its largest value, its sum, or the root of its sum of squares."},
          Field{"base_c", &Options::base_c, "Whether the first class is C; otherwise it is A."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
