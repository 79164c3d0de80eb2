#include "nodes/pcen.hpp"

#include <algorithm>
#include <cmath>

#include "core/budget.hpp"
#include "core/rows/row_block.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

/// The weight of a new row in the level. The smoother passes half the power at 1 / time_constant_s.
double coefficient(double time_constant_s, double rate_hz) {
  const double t = time_constant_s * rate_hz;
  return 2 / (1 + std::sqrt(1 + 4 * t * t));  // equals (sqrt(1 + 4 t^2) - 1) / (2 t^2), without cancellation
}

class PCENStream final : public Stream {
 public:
  PCENStream(const PCEN::Options& options, double rate_hz, std::size_t row_size)
      : o_(options),
        gain_(static_cast<float>(o_.gain)),
        bias_(static_cast<float>(o_.bias)),
        power_(static_cast<float>(o_.power)),
        floor_(static_cast<float>(std::pow(o_.bias, o_.power))),
        row_size_(row_size),
        first_(o_.initial == "first"),
        levels_(o_.time_constants_s.size() * row_size, 1.0),
        block_(levels_.size()) {
    for (const double t : o_.time_constants_s) coefficients_.push_back(coefficient(t, rate_hz));
  }

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      float* out = block_.next(sink);
      double* levels = levels_.data();
      for (const double b : coefficients_) {
        for (std::size_t k = 0; k < row_size_; ++k) {
          const double energy = std::max(rows[k], 0.0f);
          if (first_) levels[k] = energy;
          levels[k] += b * (energy - levels[k]);
          // A power in float32 costs a third of one in float64, and is right to the last digit.
          const float share = std::pow(static_cast<float>(o_.eps + levels[k]), -gain_);
          out[k] = compress(static_cast<float>(energy * share));
        }
        levels += row_size_;
        out += row_size_;
      }
      first_ = false;
    }
    block_.write(sink);
  }

  /// (x + bias) ** power - bias ** power, exact to the last digits for small x too.
  float compress(float x) const {
    if (o_.power == 0) return std::log1p(x);
    if (bias_ == 0) return std::pow(x, power_);
    if (o_.power == 0.5) return x / (std::sqrt(x + bias_) + floor_);
    if (x > 1e6f * bias_)
      return static_cast<float>(std::pow(x + o_.bias, o_.power) - floor_);  // could overflow
    return floor_ * std::expm1(power_ * std::log1p(x / bias_));
  }

  PCEN::Options o_;
  float gain_;
  float bias_;
  float power_;
  float floor_;
  std::size_t row_size_;
  bool first_;
  Buffer<double> coefficients_;
  Buffer<double> levels_;
  RowBlock block_;
};

}  // namespace

void PCEN::check(const Options& options) {
  if (options.time_constants_s.empty()) {
    detail::throw_outside(name, "time_constants_s", "of at least one item", "none");
  }
}

std::vector<Output> PCEN::describe(const StreamSpec& input) const {
  if (contains(Choices{"ln log10 dB"}, input.unit)) {
    throw ValueError("PCEN: expected power or magnitude, got " + input.unit +
                     "; it takes the place of the logarithm");
  }
  if (input.once()) {
    throw ValueError("PCEN: expected rows over time, got rows " + to_string(input) + "; pool after it");
  }
  const std::size_t n_rates = options().time_constants_s.size();
  require_memory(name, n_rates, input, "number of time_constants_s");
  StreamSpec spec = input;
  spec.unit = "pcen";
  if (n_rates > 1) spec.shape.insert(spec.shape.begin(), static_cast<std::int64_t>(n_rates));
  return {{"", spec}};
}

std::unique_ptr<Stream> PCEN::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<PCENStream>(options(), input.rate_hz, input.row_size());
}

}  // namespace fastaudio
