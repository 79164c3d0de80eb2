#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Log final : public NodeOf<Log> {
 public:
  static constexpr const char* name = "Log";
  static constexpr const char* doc = R"(Takes the logarithm of each value.

Input:  rows of any shape
Output: rows of the same shape: ln, log10 or 10 log10 (dB) of max(scale * x + offset, floor); dB are
        relative to `reference`; the result is always finite
Latency: none

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.Log(kind="dB")(np.array([[1.0, 100.0, 0.0]], dtype=np.float32)).round(3).tolist()
    [[0.0, 20.0, -100.0]]
)";
  struct Options {
    std::string kind = "ln";
    double scale = 1;
    double offset = 0;
    double floor = 1e-10;
    double reference = 1;
    static constexpr auto fields() {
      return std::tuple{
          Field{"kind", &Options::kind, Choices{"ln log10 dB"},
                "ln is the natural logarithm, log10 the decimal one, and dB is 10 log10."},
          Field{"scale", &Options::scale, Range{1e-30, 1e30}, "", "Factor that comes before the offset."},
          Field{"offset", &Options::offset, Range{0, 1e30}, "", "This is added before the logarithm."},
          Field{"floor", &Options::floor, Range{1e-37, 1e30}, "", "Smallest argument that is used."},
          Field{"reference", &Options::reference, Range{1e-30, 1e30}, "", "Value at 0 dB; only dB uses it."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
};

}  // namespace fastaudio
