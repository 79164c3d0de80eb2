/// Cuts its input into clips and runs a node over each of them as a whole signal.
#pragma once

#include <map>
#include <mutex>

#include "core/compose/composite.hpp"
#include "core/rows/cutter.hpp"

namespace fastaudio {

class Each final : public CompositeOf<Each> {
 public:
  static constexpr const char* name = "Each";
  static constexpr const char* doc =
      R"(A node run over each clip of its input as a whole signal, from its first sample to its padded end.

Input:  what `inner` takes, such as samples
Output: rows [n_clips, length, ...]: all rows that `inner` gives for a clip, or the first `length` of them
Latency: clip_length - 1 input rows

Clip k holds input rows k * hop - context to k * hop + clip_length - 1, as Patches cuts them. A signal too
short for one clip always gives one: padded if `last` is "pad", else its rows are repeated. Time stamps are
those of the `clip_length` rows.

Models that cut the signal first and pad each window separately see other values in the outermost frames of a
window than frames computed over the whole signal have. Each computes theirs. `inner` is one node, or several
in a row, and has one output. A stream is opened for each clip, so push takes memory, and frames in the overlap
of two clips are computed twice.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    >>> front = fa.Each(mel >> fa.Log(), clip_length=16_000, hop=8_000)
    >>> front(np.zeros(32_000, dtype=np.float32)).shape
    (3, 63, 96)
)";
  static constexpr std::array child_arguments{
      ChildArgument{"inner", "The node run over each clip.", Form::node, Role::clip}};
  /// Ends the error of a call without clip_length, such as Patches(length=n, hop=h) >> Each(node) of 0.1.0.
  static constexpr const char* remedy =
      "write Each(node, clip_length=n, hop=h), which cuts clips without Patches before it";
  struct Options {
    int clip_length = 1;
    std::optional<int> hop;
    std::string last = "drop";
    double pad_value = 0;
    int context = 0;
    std::optional<int> length;
    static constexpr auto fields() {
      return std::tuple{
          Field{"clip_length", &Options::clip_length, Range{1, 1000000}, "rows",
                "Input rows of a clip, such as samples.", Place::positional},
          Field{"hop", &Options::hop, Range{1, 1000000}, "rows",
                "Input rows from one clip to the next; None for clip_length, without overlap."},
          Field{"last", &Options::last, Choices{"drop pad repeat"},
                "Input rows left at the end: dropped, padded with pad_value, or repeated to fill a clip."},
          Field{"pad_value", &Options::pad_value, Range{-1e30, 1e30}, "", "Value of padded input rows."},
          Field{"context", &Options::context, Range{0, 1000000}, "rows",
                "Earlier input rows at the front of a clip; pad_value before the first."},
          Field{"length", &Options::length, Range{1, 1000000}, "rows",
                "Rows kept from each clip, the first ones; None for all."}};
    }
  };

  /// Throws ValueError unless `inner` has one output and gives `length` rows for a clip, as far as `inner`
  /// states its input.
  Each(NodePtr inner, Options options);

  const NodePtr& inner() const { return child(0); }
  std::string summary() const override;
  std::optional<StreamSpec> input() const override { return inner()->input(); }
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return Cutter::locality(cut()); }
  bool cuts_windows() const override { return true; }
  NodePtr with_hop(int n_rows) const override;

 private:
  Cutter::Options cut() const;

  /// Rows that `inner` gives for a clip of such input; found once, with a silent clip.
  std::size_t rows_of(const StreamSpec& input) const;
  std::size_t count_rows(const StreamSpec& input) const;

  mutable std::mutex mutex_;
  mutable std::map<std::pair<double, std::vector<std::int64_t>>, std::size_t> found_;  ///< by rate and shape
};

}  // namespace fastaudio
