#pragma once

#include "core/options.hpp"
#include "core/rows/cutter.hpp"

namespace fastaudio {

class Patches final : public NodeOf<Patches> {
 public:
  static constexpr const char* name = "Patches";
  static constexpr const char* doc = R"(Groups consecutive rows into patches, as models take them.

Input:  rows [n_frames, ...], or samples
Output: patches [n_patches, context + length, ...]; patch k holds rows k * hop - context to
        k * hop + length - 1
Latency: length - 1 rows

A clip with too few rows for one patch still yields one: it is padded if `last` is "pad", otherwise its
rows are repeated. Time stamps are those of the `length` rows, without their context.

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
          Field{"length", &Options::length, Range{1, 1000000}, "rows", "Number of rows.", Place::shown},
          Field{"hop", &Options::hop, Range{1, 1000000}, "rows",
                "Step between patches; None means the same as length, so that patches don't overlap."},
          Field{"last", &Options::last, Choices{"drop pad repeat"},
                "What happens to rows left over at the end: they are dropped, padded with pad_value, or "
                "repeated to fill a patch."},
          Field{"pad_value", &Options::pad_value, Range{-1e30, 1e30}, "", "Value of padded rows."},
          Field{"context", &Options::context, Range{0, 1000000}, "rows",
                "Earlier rows at the front of each patch; before the first row they are pad_value."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Cutter::locality(cut()); }
  bool cuts_windows() const override { return true; }
  NodePtr with_hop(int n_rows) const override;

 private:
  Cutter::Options cut() const;
};

}  // namespace fastaudio
