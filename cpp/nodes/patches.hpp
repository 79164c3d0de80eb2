#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Patches final : public NodeOf<Patches> {
 public:
  static constexpr const char* name = "Patches";
  static constexpr const char* doc = R"(Groups of consecutive rows, as models take them.

Input:  rows [n_frames, ...], or samples
Output: patches [n_patches, context + length, ...]; patch k holds rows k * hop - context to
        k * hop + length - 1
Latency: length - 1 rows

A clip with too few rows for one patch always yields one: padded if `last` is "pad", else by
repeating its rows. Time stamps are those of the `length` rows.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> rows = np.zeros((500, 96), dtype=np.float32)
    >>> fa.Patches(length=187, hop=93)(rows).shape
    (4, 187, 96)
)";
  struct Options {
    int length = 187;
    std::optional<int> hop;
    std::string last = "drop";
    double pad_value = 0;
    int context = 0;
    static constexpr auto fields() {
      return std::tuple{
          Field{"length", &Options::length, Range{1, 1000000}, "rows", "Rows of a patch.", Place::shown},
          Field{"hop", &Options::hop, Range{1, 1000000}, "rows",
                "Step between patches; None for length, without overlap."},
          Field{"last", &Options::last, Choices{"drop pad repeat"},
                "Rows left at the end: dropped, padded with pad_value, or repeated to fill a patch."},
          Field{"pad_value", &Options::pad_value, Range{-1e30, 1e30}, "", "Value of padded rows."},
          Field{"context", &Options::context, Range{0, 1000000}, "rows",
                "Earlier rows that come along at the front of a patch; pad_value before the first."}};
    }
  };

  using NodeOf::NodeOf;
  int hop() const { return options().hop.value_or(options().length); }
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override {
    return Locality{.n_in = hop(), .before = options().context, .after = options().length};
  }
  bool cuts_clips() const override { return true; }

 private:
  std::vector<Output> describe(const StreamSpec& input) const override;
};

}  // namespace fastaudio
