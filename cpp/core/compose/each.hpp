/// A node run over each row by itself, where rows are clips of their own.
#pragma once

#include <map>
#include <mutex>

#include "core/options.hpp"

namespace fastaudio {

class Each final : public Node {
 public:
  static constexpr const char* name = "Each";
  static constexpr const char* doc =
      R"(A node run over each row as a clip of its own, from its first sample to its padded end.

Input:  clips [n_clips, n, ...], as Patches cuts them out of a node's own input: [n_clips, n] of samples
Output: rows [n_clips, length, ...]: all rows the node gives for a clip, or the first `length` of them
Latency: none; clips come out as they go in

Models that cut the signal first and pad each window by itself see other values in a window's outermost
frames than one run of frames has; this gives theirs. `inner` is one node, or some in a row, that begins
with one made for an input of its own, and has one output. A stream is opened for each clip, so push takes
memory, and frames in which clips overlap are computed for each.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    >>> front = fa.Patches(length=16_000, hop=8_000) >> fa.Each(mel >> fa.Log())
    >>> front(np.zeros(32_000, dtype=np.float32)).shape
    (3, 63, 96)
)";
  struct Options {
    std::optional<int> length;
    static constexpr auto fields() {
      return std::tuple{Field{"length", &Options::length, Range{1, 1000000}, "rows",
                              "Rows kept of each clip, the first ones; None for all."}};
    }
  };

  /// Throws ValueError unless `inner` says what input it takes and has one output.
  Each(NodePtr inner, Options options);

  const Options& options() const { return options_; }
  const NodePtr& inner() const { return inner_; }
  std::string repr() const override;
  std::string summary() const override;
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Locality{}; }
  std::optional<StreamSpec> clip() const override { return inner_->input(); }

  /// Rows that `inner` gives for a clip of n rows: found once by a silent one.
  std::size_t rows_of(std::size_t n) const;

 private:
  NodePtr inner_;
  Options options_;
  mutable std::mutex mutex_;
  mutable std::map<std::size_t, std::size_t> found_;
};

}  // namespace fastaudio
