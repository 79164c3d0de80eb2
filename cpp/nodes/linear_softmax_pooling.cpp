#include "nodes/linear_softmax_pooling.hpp"

#include "core/budget.hpp"
#include "nodes/support/windowed.hpp"

namespace fastaudio {

namespace {

class LinearSoftmax {
 public:
  explicit LinearSoftmax(std::size_t row_size) : sums_(row_size), squares_(row_size) {}

  void reset() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(squares_.begin(), squares_.end(), 0.0);
  }

  void add(const float* row) {
    for (std::size_t k = 0; k < sums_.size(); ++k) {
      const double p = std::max(row[k], 0.0f);  // so that sums can be divisors
      sums_[k] += p;
      squares_[k] += p * p;
    }
  }

  void write(float* out) const {
    for (std::size_t k = 0; k < sums_.size(); ++k) {
      out[k] = sums_[k] > 0 ? static_cast<float>(squares_[k] / sums_[k]) : 0.0f;
    }
  }

 private:
  Buffer<double> sums_;
  Buffer<double> squares_;
};

}  // namespace

void LinearSoftmaxPooling::check(const Options& o) { check_windows(name, o.window, o.hop); }

std::vector<Output> LinearSoftmaxPooling::describe(const StreamSpec& input) const {
  return {{"", per_window(name, input, input, options().window, options().hop)}};
}

std::optional<Locality> LinearSoftmaxPooling::locality() const {
  return window_locality(options().window, options().hop);
}

std::unique_ptr<Stream> LinearSoftmaxPooling::open(const StreamSpec& input) const {
  outputs(input);
  const std::size_t size = input.row_size();
  return std::make_unique<WindowedStream<LinearSoftmax>>(LinearSoftmax(size), options().window, options().hop,
                                                         size, size);
}

}  // namespace fastaudio
