#include "nodes/chroma.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/budget.hpp"
#include "dsp/chroma_filterbank.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/row_stream.hpp"
#include "nodes/support/spectrum_rows.hpp"

namespace fastaudio {

namespace {

enum class Norm { none, largest, l1, l2 };

Norm norm_of(const std::string& name) {
  if (name == "inf") return Norm::largest;
  if (name == "l1") return Norm::l1;
  return name == "l2" ? Norm::l2 : Norm::none;
}

class Folding {
 public:
  Folding(const Chroma::Options& o, const StreamSpec& input)
      : n_bins_(input.row_size()),
        n_chroma_(static_cast<std::size_t>(o.n_chroma)),
        norm_(norm_of(o.norm)),
        weights_(dsp::make_chroma_filterbank({.bin_hz = input.bin_hz,
                                              .n_bins = n_bins_,
                                              .n_chroma = o.n_chroma,
                                              .tuning = o.tuning,
                                              .ctroct = o.ctroct,
                                              .octwidth = o.octwidth,
                                              .base_c = o.base_c})) {}

  void operator()(const float* row, float* out) const {
    for (std::size_t c = 0; c < n_chroma_; ++c) {
      const float* weights = &weights_[c * n_bins_];
      out[c] = dsp::sum<float, 16>(n_bins_, [&](std::size_t k) { return weights[k] * row[k]; });
    }
    if (norm_ == Norm::none) return;
    const double length = length_of(out);
    // A row that is all but zero stays the same; librosa does so too.
    if (length < static_cast<double>(std::numeric_limits<float>::min())) return;
    for (std::size_t c = 0; c < n_chroma_; ++c) {
      out[c] = static_cast<float>(static_cast<double>(out[c]) / length);
    }
  }

 private:
  double length_of(const float* values) const {
    const auto size = [&](std::size_t c) { return std::abs(static_cast<double>(values[c])); };
    if (norm_ == Norm::l1) return dsp::sum<double>(n_chroma_, size);
    if (norm_ == Norm::l2) {
      return std::sqrt(dsp::sum<double>(n_chroma_, [&](std::size_t c) { return size(c) * size(c); }));
    }
    double largest = 0;
    for (std::size_t c = 0; c < n_chroma_; ++c) largest = std::max(largest, size(c));
    return largest;
  }

  std::size_t n_bins_;
  std::size_t n_chroma_;
  Norm norm_;
  Buffer<float> weights_;
};

}  // namespace

std::vector<Output> Chroma::describe(const StreamSpec& input) const {
  require_spectrum(name, input, "power");
  require_frequencies(name, input);
  auto outputs = each_row(input, options().n_chroma, options().norm == "none" ? "power" : "");
  if (options().n_chroma == 12) {
    std::vector<std::string> labels{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
    if (!options().base_c) std::rotate(labels.begin(), labels.begin() + 9, labels.end());
    outputs.front().spec.set_labels(std::move(labels));
  }
  return outputs;
}

std::unique_ptr<Stream> Chroma::open(const StreamSpec& input) const {
  return stream_of_rows(Folding(options(), input), input, outputs(input).front());
}

}  // namespace fastaudio
