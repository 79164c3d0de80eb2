#pragma once

#include "core/options.hpp"

namespace fastaudio {

class RMS final : public NodeOf<RMS> {
 public:
  static constexpr const char* name = "RMS";
  static constexpr const char* doc = R"(Measures the level of each frame of samples as their root mean square.

Input:  samples [n_samples]   full scale +-1, at `sample_rate`
Output: rows    [n_frames, 1] one every `hop_length` samples; frames lie as in MelSpectrogram
Latency: half a frame if centred, otherwise one frame

Source: librosa 0.11 `feature.rms` (same defaults)

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.RMS(frame_length=4, hop_length=4, center=False)(np.float32([1, -1, 1, -1, 2, 2, 2, 2])).tolist()
    [[1.0], [2.0]]
)";
  struct Options {
    int sample_rate = 22050;
    int frame_length = 2048;
    int hop_length = 512;
    bool center = true;
    std::string pad_mode = "constant";
    static constexpr auto fields() {
      return std::tuple{
          Field{"sample_rate", &Options::sample_rate, Range{100, 768000}, "Hz", "Rate of the input."},
          Field{"frame_length", &Options::frame_length, Range{1, 1048576}, "samples", "Length of a frame."},
          Field{"hop_length", &Options::hop_length, Range{1, 1048576}, "samples", "Step between frames."},
          Field{"center", &Options::center, "Whether frame t is centred on sample t * hop_length."},
          Field{"pad_mode", &Options::pad_mode, Choices{"constant reflect"},
                "What is taken before and after the signal if centred: zeros, or its mirror image."}};
    }
  };

  using NodeOf::NodeOf;
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(options().sample_rate); }
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
};

}  // namespace fastaudio
