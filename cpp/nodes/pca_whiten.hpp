#pragma once

#include "core/options.hpp"

namespace fastaudio {

class PCAWhiten final : public NodeOf<PCAWhiten> {
 public:
  static constexpr const char* name = "PCAWhiten";
  static constexpr const char* doc =
      R"(Projects rows onto known principal axes: subtracts known means, then multiplies by a matrix.

Input:  rows [n_rows, n_means]
Output: rows [n_rows, n_components]: matrix (x - means)
Latency: none

`matrix` holds one component after another, each as long as `means`, as a NumPy array's .ravel().tolist()
gives them. The factors that scale each component to unit variance are part of it. It holds at most 2**17
numbers, so that they fit into a card; a larger matrix belongs in an OnnxModel.

Source: VGGish's postprocessor (tensorflow/models, research/audioset/vggish)

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.PCAWhiten(matrix=[0, 2, 1, 1], means=[1, 0])(np.array([[3, 5]], dtype=np.float32)).tolist()
    [[10.0, 7.0]]
)";
  struct Options {
    std::vector<double> matrix;
    std::vector<double> means;
    static constexpr auto fields() {
      return std::tuple{Field{"matrix", &Options::matrix, Range{-1e12, 1e12}, "",
                              "Components, one after another.", Place::positional},
                        Field{"means", &Options::means, Range{-1e12, 1e12}, "",
                              "These are subtracted from each row first.", Place::positional}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::size_t n_components() const { return options().matrix.size() / options().means.size(); }
  std::string summary() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
