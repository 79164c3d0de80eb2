#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Similarity final : public NodeOf<Similarity> {
 public:
  static constexpr const char* name = "Similarity";
  static constexpr const char* doc =
      R"(Compares each row with each vector of a bank: cosines score labels that no network was trained on.

Input:  embeddings [n_rows, d]
Output: cosines [n_rows, n_labels], from -1 to 1; 0 where the row or the vector is all zeros
Latency: none

`bank` holds one vector of d numbers after another, in the order of `labels`, as a NumPy array's
.ravel().tolist() gives them. Vectors needn't be of unit length. It holds at most 2**17 numbers, so that
they fit into a card; a larger bank belongs in an OnnxModel.

Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
        audio and tags, ICASSP 2021

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> node = fa.Similarity(bank=[2, 0, 0, -3], labels=["rain", "wind"])
    >>> print(node(np.array([[3, 4]], dtype=np.float32)))
    [[ 0.6 -0.8]]
)";
  struct Options {
    std::vector<double> bank;
    std::vector<std::string> labels;
    static constexpr auto fields() {
      return std::tuple{
          Field{"bank", &Options::bank, Range{-1e12, 1e12}, "", "Vectors, one after another.",
                Place::positional},
          Field{"labels", &Options::labels, "Name of each vector, in order.", Place::positional}};
    }
  };

  explicit Similarity(Options options);
  static void check(const Options& options);
  const std::vector<double>& unit_bank() const { return unit_bank_; }
  std::size_t dimension() const { return options().bank.size() / options().labels.size(); }
  std::string summary() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }

 private:
  std::vector<double> unit_bank_;  ///< vectors of length 1 or 0
};

}  // namespace fastaudio
