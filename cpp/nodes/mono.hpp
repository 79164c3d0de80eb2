#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Mono final : public NodeOf<Mono> {
 public:
  static constexpr const char* name = "Mono";
  static constexpr const char* doc =
      R"(Makes one channel from several: their mean, or the one that has a given index.

Input:  rows [n_samples, channels]  full scale +-1, any rate
Output: samples [n_samples]         the same rate
Latency: none

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.Mono(channels=2)(np.array([[0.5, 0.25]], dtype=np.float32)).tolist()
    [0.375]
)";
  struct Options {
    int channels = 2;
    std::optional<int> channel;
    static constexpr auto fields() {
      return std::tuple{Field{"channels", &Options::channels, Range{1, 1024}, "", "Number of channels."},
                        Field{"channel", &Options::channel, Range{0, 1023}, "",
                              "Index of the channel to keep; None takes the mean of all."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
