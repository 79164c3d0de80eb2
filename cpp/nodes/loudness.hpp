#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Loudness final : public NodeOf<Loudness> {
 public:
  static constexpr const char* name = "Loudness";
  static constexpr const char* doc =
      R"(Measures how loud sound is to listeners, in LUFS: momentary, short-term, or of the whole programme.

Input:  samples [n_samples], or [n_samples, channels]; full scale +-1, at `sample_rate`
Output: rows [n, 1] in LUFS, ten per second, each of the 400 ms (momentary) or 3 s (short_term) from its start
        on; [1, 1] at the end (integrated). No value is below `floor_lufs`, which stands for silence
Latency: 0.4 s, 3 s, or the whole clip; memory doesn't grow with it

Channels are filtered by K-weighting, and their mean squares are added up, each times its weight. Mixing them
to mono before that gives another loudness, lower by up to 3 LU for sound that differs between them: a
`Pipeline` mixes, unless its first node asks for as many channels as there are. One channel counts
once; weights=[2] takes it as played by two loudspeakers.

The integrated loudness is that of blocks of 400 ms, one every 100 ms, without those below -70 LUFS and then
without those 10 LU below the mean of the rest. Blocks are counted in 10,000 classes of 0.01 LU, whose energies
are added up exactly: only blocks within 0.01 LU of the relative threshold may fall on its wrong side. A clip
shorter than one window gives the loudness of what there is; by the standard it has none.

If 100 ms aren't a whole number of samples, they are rounded to one, as libebur128 does.

Source: ITU-R BS.1770-5; EBU R 128 and Tech 3341; libebur128 1.2.6, whose values these are to within 0.001 LU

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> t = np.arange(48_000) / 48_000
    >>> sine = np.sin(2 * np.pi * 997 * t).astype(np.float32)  # of full scale: -3.01 LUFS
    >>> print(fa.Loudness(kind="integrated")(sine).round(2))
    [[-3.01]]
    >>> fa.Loudness()(sine).shape
    (7, 1)
)";
  struct Options {
    int sample_rate = 48000;
    int channels = 1;
    std::string kind = "momentary";
    std::vector<double> weights;
    double floor_lufs = -120;
    static constexpr auto fields() {
      return std::tuple{
          Field{"sample_rate", &Options::sample_rate, Range{8000, 768000}, "Hz", "Rate of the input."},
          Field{"channels", &Options::channels, Range{1, 64}, "", "Number of channels."},
          Field{"kind", &Options::kind, Choices{"momentary short_term integrated"},
                "The time that is measured: 400 ms, 3 s, or the whole clip with gating."},
          Field{"weights", &Options::weights, Range{0, 10}, "",
                "Weight of each channel's mean square; if empty, 1 for left, right and centre, 0 for the "
                "bass channel (the fourth of six) and 1.41 for the channels at the sides or behind."},
          Field{"floor_lufs", &Options::floor_lufs, Range{-200, -70}, "LUFS", "Smallest value given."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::optional<StreamSpec> input() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
};

}  // namespace fastaudio
