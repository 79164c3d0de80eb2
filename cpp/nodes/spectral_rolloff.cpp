#include "nodes/spectral_rolloff.hpp"

#include "core/budget.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/row_stream.hpp"
#include "nodes/support/spectrum_rows.hpp"

namespace fastaudio {

namespace {

/// Sums blocks of bins first, so that only one block is gone through bin by bin.
class Rolloff {
 public:
  Rolloff(double part, const StreamSpec& input)
      : part_(part),
        bin_hz_(input.bin_hz),
        n_bins_(input.row_size()),
        blocks_((n_bins_ + kBlock - 1) / kBlock) {}

  void operator()(const float* row, float* out) {
    double total = 0;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const float* first = row + b * kBlock;
      const std::size_t n = std::min(kBlock, n_bins_ - b * kBlock);
      blocks_[b] = dsp::sum<double>(n, [&](std::size_t k) { return magnitude(first[k]); });
      total += blocks_[b];
    }
    const double threshold = part_ * total;
    double below = 0;
    std::size_t b = 0;
    for (; b + 1 < blocks_.size() && below + blocks_[b] < threshold; ++b) below += blocks_[b];
    std::size_t k = b * kBlock;
    const std::size_t last = std::min(k + kBlock, n_bins_) - 1;
    for (; k < last; ++k) {
      below += magnitude(row[k]);
      if (below >= threshold) break;
    }
    *out = static_cast<float>(static_cast<double>(k) * bin_hz_);
  }

 private:
  static constexpr std::size_t kBlock = 32;

  double part_;
  double bin_hz_;
  std::size_t n_bins_;
  Buffer<double> blocks_;
};

}  // namespace

std::vector<Output> SpectralRolloff::describe(const StreamSpec& input) const {
  require_spectrum(name, input, "magnitude");
  require_frequencies(name, input);
  return each_row(input, 1, "Hz");
}

std::unique_ptr<Stream> SpectralRolloff::open(const StreamSpec& input) const {
  return stream_of_rows(Rolloff(options().roll_percent, input), input, outputs(input).front());
}

}  // namespace fastaudio
