#include "nodes/delta.hpp"

#include <algorithm>
#include <cstring>

#include "core/compose/sequential.hpp"
#include "core/rows/row_block.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

/// Weights of rows -half to half whose sum is the derivative of order `order` of the polynomial of that
/// order fitted to them; the derivative is the same everywhere. The polynomial orthogonal to those of
/// lower order is all it takes: weight i is order! p(i) / sum p^2.
std::vector<double> derivative_weights(int width, int order) {
  const int half = width / 2;
  const auto size = static_cast<std::size_t>(width);
  std::vector<double> before(size, 0.0);
  std::vector<double> p(size, 1.0);
  double energy = width;
  double energy_before = 0;
  double factorial = 1;
  for (int k = 1; k <= order; ++k) {
    factorial *= k;
    const double back = k == 1 ? 0 : energy / energy_before;
    energy_before = energy;
    energy = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double next = (static_cast<int>(i) - half) * p[i] - back * before[i];
      before[i] = p[i];
      p[i] = next;
      energy += next * next;
    }
  }
  for (double& value : p) value *= factorial / energy;
  return p;
}

class DeltaStream final : public Stream {
 public:
  DeltaStream(int width, int order, bool interp, std::size_t row_size)
      : half_(width / 2),
        interp_(interp),
        odd_(order % 2 != 0),
        weights_(derivative_weights(width, order)),
        row_size_(row_size),
        ring_(static_cast<std::size_t>(width) * row_size),
        sums_(row_size),
        last_(row_size),
        block_(row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      std::memcpy(&ring_[place(n_)], rows, row_size_ * sizeof(float));
      ++n_;
      const std::int64_t t = n_ - 1 - half_;
      if (t < (interp_ ? half_ : 0)) continue;
      derive(t, sink);
      // The polynomial of the first rows has this derivative everywhere.
      if (interp_ && t == half_) repeat(half_, sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (interp_ && n_ > 2 * half_) {
      repeat(half_, sink);
    } else {
      const std::int64_t first = interp_ ? 0 : std::max<std::int64_t>(0, n_ - half_);
      for (std::int64_t t = first; t < n_; ++t) derive(t, sink);
    }
    block_.write(sink);
  }

  std::size_t place(std::int64_t t) const {
    return static_cast<std::size_t>(t % (2 * half_ + 1)) * row_size_;
  }

  /// The row as far from the ends as there are rows.
  const float* row(std::int64_t t) const { return &ring_[place(std::clamp<std::int64_t>(t, 0, n_ - 1))]; }

  void derive(std::int64_t t, Sink& sink) {
    const float* middle = row(t);
    const double w0 = weights_[static_cast<std::size_t>(half_)];
    for (std::size_t k = 0; k < row_size_; ++k) sums_[k] = w0 * middle[k];
    for (std::int64_t i = 1; i <= half_; ++i) {
      const float* left = row(t - i);
      const float* right = row(t + i);
      const double w = weights_[static_cast<std::size_t>(half_ + i)];
      double* sums = sums_.data();
      if (odd_) {
        for (std::size_t k = 0; k < row_size_; ++k) sums[k] += w * (double{right[k]} - double{left[k]});
      } else {
        for (std::size_t k = 0; k < row_size_; ++k) sums[k] += w * (double{right[k]} + double{left[k]});
      }
    }
    for (std::size_t k = 0; k < row_size_; ++k) last_[k] = static_cast<float>(sums_[k]);
    repeat(1, sink);
  }

  void repeat(std::int64_t times, Sink& sink) {
    for (; times > 0; --times) std::copy(last_.begin(), last_.end(), block_.next(sink));
  }

  std::int64_t half_;
  bool interp_;
  bool odd_;
  std::vector<double> weights_;
  std::size_t row_size_;
  std::vector<float> ring_;  ///< the last 2 half + 1 rows
  std::vector<double> sums_;
  std::vector<float> last_;  ///< the row that came out last
  RowBlock block_;
  std::int64_t n_ = 0;
};

}  // namespace

Delta::Delta(Options options) : options_(std::move(options)) {
  check_options(name, options_);
  if (options_.width % 2 == 0) detail::throw_outside(name, "width", "odd", format(options_.width));
  if (options_.order >= options_.width && options_.mode != "htk") {
    detail::throw_outside(name, "order", "below width = " + format(options_.width), format(options_.order));
  }
}

std::vector<Output> Delta::outputs(const StreamSpec& input) const {
  require_memory(name, static_cast<std::size_t>(options_.width), input, "width");
  StreamSpec spec = input;
  const int rows = options_.mode == "interp" ? options_.width - 1 : reach();
  if (input.rate_hz > 0) spec.latency_s += rows / input.rate_hz;
  return {{"", spec}};
}

std::unique_ptr<Stream> Delta::open(const StreamSpec& input) const {
  outputs(input);
  if (options_.mode == "htk" && options_.order > 1) {
    Options once = options_;
    once.order = 1;
    const auto slope = std::make_shared<const Delta>(once);
    return Sequential(std::vector<NodePtr>(static_cast<std::size_t>(options_.order), slope)).open(input);
  }
  return std::make_unique<DeltaStream>(options_.width, options_.order, options_.mode == "interp",
                                       input.row_size());
}

}  // namespace fastaudio
