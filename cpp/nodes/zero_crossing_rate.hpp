#pragma once

#include "core/options.hpp"

namespace fastaudio {

class ZeroCrossingRate final : public NodeOf<ZeroCrossingRate> {
 public:
  static constexpr const char* name = "ZeroCrossingRate";
  static constexpr const char* doc =
      R"(Measures the share of a frame's samples whose sign differs from that of the sample before.

Input:  samples [n_samples]   full scale +-1, at `sample_rate`
Output: rows    [n_frames, 1] from 0 to 1, one every `hop_length` samples; frames lie as in MelSpectrogram
Latency: half a frame if centred, otherwise one frame

If centred, the signal's first sample is repeated before it and its last sample after it. The first sample
of a frame never counts, because it has none before it.

Source: librosa 0.11 `feature.zero_crossing_rate` (same defaults)

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> node = fa.ZeroCrossingRate(frame_length=4, hop_length=4, center=False)
    >>> node(np.float32([1, -1, 1, -1, 1, 1, -1, -1])).tolist()
    [[0.75], [0.25]]
)";
  struct Options {
    int sample_rate = 22050;
    int frame_length = 2048;
    int hop_length = 512;
    bool center = true;
    double threshold = 1e-10;
    static constexpr auto fields() {
      return std::tuple{
          Field{"sample_rate", &Options::sample_rate, Range{100, 768000}, "Hz", "Rate of the input."},
          Field{"frame_length", &Options::frame_length, Range{1, 1048576}, "samples", "Length of a frame."},
          Field{"hop_length", &Options::hop_length, Range{1, 1048576}, "samples", "Step between frames."},
          Field{"center", &Options::center, "Whether frame t is centred on sample t * hop_length."},
          Field{"threshold", &Options::threshold, Range{0, 1e12}, "",
                "Samples whose magnitude isn't larger count as 0, which is positive."}};
    }
  };

  using NodeOf::NodeOf;
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(options().sample_rate); }
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override {
    const int pad = options().center ? options().frame_length / 2 : 0;
    return Locality{.n_in = options().hop_length, .before = pad, .after = options().frame_length - pad};
  }
};

}  // namespace fastaudio
