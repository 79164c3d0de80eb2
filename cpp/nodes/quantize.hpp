#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Quantize final : public NodeOf<Quantize> {
 public:
  static constexpr const char* name = "Quantize";
  static constexpr const char* doc = R"(Limits values to a range and counts them in 2^bits - 1 equal steps.

Input:  rows of any shape
Output: rows of the same shape: whole numbers from 0, at `min` and below, to 2^bits - 1, at `max` and
        above
Latency: none

Source: VGGish's postprocessor (tensorflow/models, research/audioset/vggish) casts to uint8, which rounds
        down; ports of it to PyTorch round to the nearest

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.Quantize(min=-2, max=2, bits=8)(np.array([[-3, 0, 1, 2]], dtype=np.float32)).tolist()
    [[0.0, 127.0, 191.0, 255.0]]
)";
  struct Options {
    double min = -2;
    double max = 2;
    int bits = 8;
    std::string rounding = "down";
    static constexpr auto fields() {
      return std::tuple{
          Field{"min", &Options::min, Range{-1e12, 1e12}, "", "Value that becomes 0.", Place::shown},
          Field{"max", &Options::max, Range{-1e12, 1e12}, "", "Value that becomes 2^bits - 1.", Place::shown},
          Field{"bits", &Options::bits, Range{1, 16}, "bits", "Number of bits in each result.", Place::shown},
          Field{"rounding", &Options::rounding, Choices{"down nearest"},
                "Whether to round down or to the nearest whole number, where ties go to the even one."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
