#pragma once

#include "core/options.hpp"

namespace fastaudio {

class StackChannels final : public NodeOf<StackChannels> {
 public:
  static constexpr const char* name = "StackChannels";
  static constexpr const char* doc =
      R"(Repeats rows along a new channel axis, for networks trained on colour images.

Input:  rows of any shape
Output: rows with one more axis, the last or the first, along which all values are the same
Latency: none

OnnxModel brings axes into the model's order: leave channels last here, and take layout="nctf" for a model
that wants them first.

Source: Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive
        regularization

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.StackChannels(channels=3)(np.array([[1, 2]], dtype=np.float32)).tolist()
    [[[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]]
)";
  struct Options {
    int channels = 3;
    std::string axis = "last";
    static constexpr auto fields() {
      return std::tuple{
          Field{"channels", &Options::channels, Range{1, 1024}, "", "Length of the new axis.", Place::shown},
          Field{"axis", &Options::axis, Choices{"last first"}, "Where the new axis stands in a row."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
