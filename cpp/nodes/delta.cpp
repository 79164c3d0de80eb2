#include "nodes/delta.hpp"

#include <algorithm>

#include "core/budget.hpp"
#include "core/compose/sequential.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_block.hpp"
#include "core/rows/row_ring.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

/// Weights of rows -half to half. Their weighted sum is the derivative of order `order` of the polynomial of
/// that order that fits them best, which is the same everywhere. With p the polynomial orthogonal to all of
/// lower order, weight i is order! p(i) / sum p^2.
Buffer<double> derivative_weights(int width, int order) {
  const int half = width / 2;
  const auto size = static_cast<std::size_t>(width);
  Buffer<double> before(size, 0.0);
  Buffer<double> p(size, 1.0);
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
        ring_(static_cast<std::size_t>(width), row_size),
        sums_(row_size),
        last_(row_size),
        block_(row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      ring_.push(rows);
      const std::int64_t t = ring_.end() - 1 - half_;
      if (t < (interp_ ? half_ : 0)) continue;
      derive(t, sink);
      // The polynomial of the first rows has this derivative everywhere.
      if (interp_ && t == half_) repeat(half_, sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    const std::int64_t n = ring_.end();
    if (interp_ && n > 2 * half_) {
      repeat(half_, sink);
    } else {
      for (std::int64_t t = interp_ ? 0 : std::max<std::int64_t>(0, n - half_); t < n; ++t) derive(t, sink);
    }
    block_.write(sink);
  }

  /// Row t; the first row is repeated before it, and the last one after it.
  const float* row(std::int64_t t) const { return ring_.at(std::clamp<std::int64_t>(t, 0, ring_.end() - 1)); }

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
    pace_.did(weights_.size() * row_size_);
  }

  void repeat(std::int64_t times, Sink& sink) {
    for (; times > 0; --times) std::copy(last_.begin(), last_.end(), block_.next(sink));
  }

  std::int64_t half_;
  bool interp_;
  bool odd_;
  Buffer<double> weights_;
  std::size_t row_size_;
  RowRing ring_;
  Buffer<double> sums_;
  Buffer<float> last_;  ///< the row that came out last
  RowBlock block_;
  Pace pace_;
};

}  // namespace

void Delta::check(const Options& options) {
  if (options.width % 2 == 0) detail::throw_outside(name, "width", "odd", format(options.width));
  if (options.order >= options.width && options.mode != "htk") {
    detail::throw_outside(name, "order", "below width = " + format(options.width), format(options.order));
  }
}

std::vector<Output> Delta::describe(const StreamSpec& input) const {
  require_memory(name, static_cast<std::size_t>(options().width), input, "width");
  return {{"", input}};
}

std::unique_ptr<Stream> Delta::open(const StreamSpec& input) const {
  outputs(input);
  if (options().mode == "htk" && options().order > 1) {
    Options once = options();
    once.order = 1;
    const auto slope = std::make_shared<const Delta>(once);
    return Sequential(std::vector<NodePtr>(static_cast<std::size_t>(options().order), slope)).open(input);
  }
  return std::make_unique<DeltaStream>(options().width, options().order, options().mode == "interp",
                                       input.row_size());
}

}  // namespace fastaudio
