/// Normalize and TopDb take their scales from the data itself.
#pragma once

#include "core/options.hpp"

namespace fastaudio {

/// Locality of a node that takes its scale over each row, or over the whole clip.
inline std::optional<Locality> row_locality(const std::string& over) {
  return over == "row" ? std::optional(Locality{}) : std::nullopt;
}

class Normalize final : public NodeOf<Normalize> {
 public:
  static constexpr const char* name = "Normalize";
  static constexpr const char* doc =
      R"(Brings values to a common level by the largest, mean, deviation or energy of their row or clip.

Input:  rows of any shape
Output: rows of the same shape: x / max(|x|), x - mean, (x - mean) / std, (x - min) / (max - min), x / rms or
        x / norm, where these are taken over all values of a row or of the clip; no divisor is below eps
Latency: none over a row; the whole clip over a clip: all rows come at its end, and memory grows with it

A frame cut by Patches is one row, and so is a patch of frames. For known means, use Standardize.

Source: CREPE 0.0.16 and TempoCNN standardise each frame or patch this way; librosa 0.11 `util.normalize`;
        Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive regularization,
        scale each clip by its energy and don't say to which: kind="rms", over="clip" makes it the same at any
        length

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> rows = np.array([[1.0, -4.0], [0.0, 0.5]], dtype=np.float32)
    >>> fa.Normalize(kind="max")(rows).tolist()
    [[0.25, -1.0], [0.0, 1.0]]
    >>> fa.Normalize(kind="max", over="clip")(rows).tolist()
    [[0.25, -1.0], [0.0, 0.125]]
)";
  struct Options {
    std::string kind = "standard";
    std::string over = "row";
    double eps = 1e-8;
    static constexpr auto fields() {
      return std::tuple{
          Field{"kind", &Options::kind, Choices{"max mean standard min_max rms energy"},
                "max: the largest magnitude becomes 1; mean: the mean becomes 0; standard: the mean becomes "
                "0 and the standard deviation 1; min_max: values go from 0 to 1; rms: the root of the mean "
                "square becomes 1; energy: the sum of the squares becomes 1."},
          Field{"over", &Options::over, Choices{"row clip"},
                "Whether each row is brought to the level by itself, or the whole clip together."},
          Field{"eps", &Options::eps, Range{1e-30, 1e12}, "", "Smallest divisor that is used."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return row_locality(options().over); }
};

class TopDb final : public NodeOf<TopDb> {
 public:
  static constexpr const char* name = "TopDb";
  static constexpr const char* doc =
      R"(Limits decibels to a range below the largest value of their row or clip.

Input:  rows of any shape, in dB
Output: rows of the same shape: max(x, largest - top_db), minus `largest` if relative
Latency: none over a row; the whole clip over a clip: all rows come at its end, and memory grows with it

Source: librosa 0.11 `power_to_db` does this by the clip; OpenL3 0.4 does it by the patch, with relative

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> fa.TopDb(top_db=80)(np.array([[-10.0, -60.0, -95.0]], dtype=np.float32)).tolist()
    [[-10.0, -60.0, -90.0]]
)";
  struct Options {
    double top_db = 80;
    std::string over = "row";
    bool relative = false;
    static constexpr auto fields() {
      return std::tuple{
          Field{"top_db", &Options::top_db, Range{0, 1e6}, "dB", "Range that is kept.", Place::shown},
          Field{"over", &Options::over, Choices{"row clip"},
                "Whether each row has a largest value, or the whole clip shares one."},
          Field{"relative", &Options::relative, "Whether the largest becomes 0 dB."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return row_locality(options().over); }
};

}  // namespace fastaudio
