#include "nodes/mfcc.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/budget.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

double lifter_of(const MFCC::Options& o, int k) {
  if (o.lifter == 0) return 1;
  const int from = o.lifter_kind == "librosa" ? 1 : 0;
  return 1 + o.lifter / 2 * std::sin(std::numbers::pi * (k + from) / o.lifter);
}

/// The transform times the lifter, transposed: [n_mels][n_mfcc].
Buffer<float> transform_of(const MFCC::Options& o, std::size_t n_mels) {
  const std::size_t n_mfcc = static_cast<std::size_t>(o.n_mfcc);
  Buffer<float> weights(n_mels * n_mfcc);
  const double n = static_cast<double>(n_mels);
  for (std::size_t k = 0; k < n_mfcc; ++k) {
    check_build();
    const double ortho = std::sqrt((k == 0 ? 1 : 2) / n);
    const double gain = (o.norm == "ortho" ? ortho : 2) * lifter_of(o, static_cast<int>(k));
    for (std::size_t m = 0; m < n_mels; ++m) {
      // Whole turns drop out; in integers the remainder is exact.
      const double turns = static_cast<double>(k * (2 * m + 1) % (4 * n_mels)) / (4 * n);
      weights[m * n_mfcc + k] = static_cast<float>(gain * std::cos(2 * std::numbers::pi * turns));
    }
  }
  return weights;
}

/// out[k] = sum of x[m] * weights[m][k].
class Transform {
 public:
  Transform(const MFCC::Options& options, std::size_t n_mels)
      : weights_(transform_of(options, n_mels)),
        n_mels_(n_mels),
        n_mfcc_(static_cast<std::size_t>(options.n_mfcc)) {}

  /// Takes four bands at a time, because sums then pass through memory less often.
  void operator()(const float* x, float* __restrict out) const {
    const float* weights = weights_.data();
    std::fill_n(out, n_mfcc_, 0.0f);
    std::size_t m = 0;
    for (; m + 4 <= n_mels_; m += 4, x += 4, weights += 4 * n_mfcc_) {
      const float* w[4] = {weights, weights + n_mfcc_, weights + 2 * n_mfcc_, weights + 3 * n_mfcc_};
      for (std::size_t k = 0; k < n_mfcc_; ++k) {
        out[k] += (x[0] * w[0][k] + x[1] * w[1][k]) + (x[2] * w[2][k] + x[3] * w[3][k]);
      }
    }
    for (; m < n_mels_; ++m, ++x, weights += n_mfcc_) {
      for (std::size_t k = 0; k < n_mfcc_; ++k) out[k] += *x * weights[k];
    }
  }

 private:
  Buffer<float> weights_;
  std::size_t n_mels_;
  std::size_t n_mfcc_;
};

}  // namespace

std::vector<Output> MFCC::describe(const StreamSpec& input) const {
  require_rank(name, input, 1, "log-mel rows [n_rows, n_mels]");
  if (input.unit == "power" || input.unit.starts_with("magnitude")) {
    throw ValueError("MFCC: expected log-mel rows, got " + input.unit + "; take the logarithm first");
  }
  if (options().n_mfcc > input.shape[0]) {
    detail::throw_outside(name, "n_mfcc",
                          "in " + format(Range{1, static_cast<double>(input.shape[0])}, "(n_mels)"),
                          format(options().n_mfcc));
  }
  return each_row(input, options().n_mfcc, "cepstral");
}

std::unique_ptr<Stream> MFCC::open(const StreamSpec& input) const {
  const Output output = outputs(input).front();
  return stream_of_rows(Transform(options(), input.row_size()), input, output);
}

}  // namespace fastaudio
