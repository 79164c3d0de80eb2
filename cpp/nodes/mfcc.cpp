#include "nodes/mfcc.hpp"

#include <cmath>
#include <numbers>

#include "core/budget.hpp"
#include "dsp/aligned.hpp"
#include "dsp/kernels.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

double lifter_of(const MFCC::Options& o, int k) {
  if (o.lifter == 0) return 1;
  const int from = o.lifter_kind == "librosa" ? 1 : 0;
  return 1 + o.lifter / 2 * std::sin(std::numbers::pi * (k + from) / o.lifter);
}

/// The transform times the lifter, transposed, as a matrix's weights.
dsp::AlignedFloats transform_of(const MFCC::Options& o, std::size_t n_mels) {
  const std::size_t n_mfcc = static_cast<std::size_t>(o.n_mfcc);
  const auto stride = static_cast<std::size_t>(dsp::MatrixPlan::padded(o.n_mfcc));
  dsp::AlignedFloats weights(n_mels * stride, 0.0f);
  const double n = static_cast<double>(n_mels);
  for (std::size_t k = 0; k < n_mfcc; ++k) {
    check_build();
    const double ortho = std::sqrt((k == 0 ? 1 : 2) / n);
    const double gain = (o.norm == "ortho" ? ortho : 2) * lifter_of(o, static_cast<int>(k));
    for (std::size_t m = 0; m < n_mels; ++m) {
      // Whole turns drop out; in integers the remainder is exact.
      const double turns = static_cast<double>(k * (2 * m + 1) % (4 * n_mels)) / (4 * n);
      weights[m * stride + k] = static_cast<float>(gain * std::cos(2 * std::numbers::pi * turns));
    }
  }
  return weights;
}

class Transform {
 public:
  Transform(const MFCC::Options& options, std::size_t n_mels)
      : weights_(transform_of(options, n_mels)), n_mels_(static_cast<int>(n_mels)), n_mfcc_(options.n_mfcc) {}

  void operator()(const float* rows, std::size_t n_rows, float* out) const {
    dsp::kernels().multiply({n_mels_, n_mfcc_, weights_.data()}, rows, n_rows, out);
  }

 private:
  dsp::AlignedFloats weights_;
  int n_mels_;
  int n_mfcc_;
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
  const std::size_t n_mels = input.row_size();
  return stream_of_blocks(Transform(options(), n_mels), input, output,
                          n_mels * static_cast<std::size_t>(dsp::MatrixPlan::padded(options().n_mfcc)));
}

}  // namespace fastaudio
