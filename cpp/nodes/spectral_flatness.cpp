#include "nodes/spectral_flatness.hpp"

#include <cmath>

#include "core/budget.hpp"
#include "dsp/kernels.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/row_stream.hpp"
#include "nodes/support/spectrum_rows.hpp"

namespace fastaudio {

namespace {

/// max(x ** power, amin) is max(x, amin ** (1 / power)) ** power: the kernel takes its logarithm.
class Flatness {
 public:
  Flatness(const SpectralFlatness::Options& options, std::size_t n_bins)
      : power_(options.power), logs_(n_bins) {
    plan_.floor = static_cast<float>(std::pow(options.amin, 1 / power_));
    plan_.gain = static_cast<float>(power_);
  }

  void operator()(const float* row, float* out) {
    dsp::kernels().log(plan_, row, logs_.data(), logs_.size());
    const double geometric = std::exp(mean([&](std::size_t k) { return static_cast<double>(logs_[k]); }));
    *out = static_cast<float>(std::min(1.0, geometric / arithmetic(row)));
  }

 private:
  template <class Value>
  double mean(Value value) const {
    return dsp::sum<double>(logs_.size(), value) / static_cast<double>(logs_.size());
  }

  double arithmetic(const float* row) const {
    const auto floored = [&](std::size_t k) { return static_cast<double>(std::max(row[k], plan_.floor)); };
    if (power_ == 1) return mean(floored);
    if (power_ == 2) return mean([&](std::size_t k) { return floored(k) * floored(k); });
    return mean([&](std::size_t k) { return std::pow(floored(k), power_); });
  }

  double power_;
  dsp::LogPlan plan_;
  Buffer<float> logs_;
};

}  // namespace

std::vector<Output> SpectralFlatness::describe(const StreamSpec& input) const {
  require_spectrum(name, input, "magnitude");
  return each_row(input, 1, "ratio");
}

std::unique_ptr<Stream> SpectralFlatness::open(const StreamSpec& input) const {
  return stream_of_rows(Flatness(options(), input.row_size()), input, outputs(input).front());
}

}  // namespace fastaudio
