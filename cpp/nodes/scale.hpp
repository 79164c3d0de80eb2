/// Standardize, MinMaxScale and L2Normalize scale rows without looking at other rows.
#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Standardize final : public NodeOf<Standardize> {
 public:
  static constexpr const char* name = "Standardize";
  static constexpr const char* doc = R"(Subtracts a known mean and divides by a known standard deviation.

Input:  rows of any shape
Output: rows of the same shape: (x - mean) / std
Latency: none

`mean` and `std` are those of a model's training data: one number, or one for each place along the
last axis. To use those of the data itself, take Normalize.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.Standardize(mean=[1.0], std=[2.0])(np.array([[1.0, 5.0]], dtype=np.float32)).tolist()
    [[0.0, 2.0]]
)";
  struct Options {
    std::vector<double> mean;
    std::vector<double> std;
    static constexpr auto fields() {
      return std::tuple{
          Field{"mean", &Options::mean, Range{-1e12, 1e12}, "", "Mean to subtract first.", Place::positional},
          Field{"std", &Options::std, Range{1e-12, 1e12}, "", "Standard deviation to divide by.",
                Place::positional}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::string summary() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

class MinMaxScale final : public NodeOf<MinMaxScale> {
 public:
  static constexpr const char* name = "MinMaxScale";
  static constexpr const char* doc = R"(Scales values so that a known range becomes [0, 1].

Input:  rows of any shape
Output: rows of the same shape: (x - min) / (max - min)
Latency: none

`min` and `max` are those of a model's training data: one number, or one for each place along the
last axis. To use those of the data itself, take Normalize.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.MinMaxScale(min=[-80.0], max=[0.0])(np.array([[-80.0, -20.0]], dtype=np.float32)).tolist()
    [[0.0, 0.75]]
)";
  struct Options {
    std::vector<double> min;
    std::vector<double> max;
    bool clip = false;
    static constexpr auto fields() {
      return std::tuple{
          Field{"min", &Options::min, Range{-1e12, 1e12}, "", "Value that becomes 0.", Place::positional},
          Field{"max", &Options::max, Range{-1e12, 1e12}, "", "Value that becomes 1.", Place::positional},
          Field{"clip", &Options::clip, "Whether values beyond the range become 0 or 1."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::string summary() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

class L2Normalize final : public NodeOf<L2Normalize> {
 public:
  static constexpr const char* name = "L2Normalize";
  static constexpr const char* doc = R"(Scales each row to unit length, so that embeddings can be compared.

Input:  rows of any shape
Output: rows of the same shape, divided by max(norm, eps), where norm is taken over all values of a row
Latency: none

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.L2Normalize()(np.array([[1.0, -1, 1, 1], [0, 0, 0, 0]], dtype=np.float32)).tolist()
    [[0.5, -0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]
)";
  struct Options {
    double eps = 1e-12;
    static constexpr auto fields() {
      return std::tuple{
          Field{"eps", &Options::eps, Range{1e-30, 1e12}, "", "Smallest divisor that is used."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
