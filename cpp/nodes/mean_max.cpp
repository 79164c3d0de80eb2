#include "nodes/mean_max.hpp"

#include <algorithm>
#include <limits>

#include "core/budget.hpp"
#include "nodes/support/window_options.hpp"
#include "nodes/support/windowed.hpp"

namespace fastaudio {

namespace {

struct MeanOf {
  static constexpr double start = 0;
  static double add(double total, double value) { return total + value; }
  static double result(double total, double count) { return total / count; }
};

struct MaxOf {
  static constexpr double start = -std::numeric_limits<double>::infinity();
  static double add(double total, double value) { return std::max(total, value); }
  static double result(double total, double /*count*/) { return total; }
};

/// Pools a clip; see WindowedStream.
template <class Reduction>
class Reduced {
 public:
  explicit Reduced(std::size_t row_size) : totals_(row_size, Reduction::start) {}

  void reset() {}  // a clip is pooled once

  void add(const float* row) {
    for (std::size_t k = 0; k < totals_.size(); ++k) {
      totals_[k] = Reduction::add(totals_[k], static_cast<double>(row[k]));
    }
    ++count_;
  }

  void write(float* out) const {
    for (std::size_t k = 0; k < totals_.size(); ++k) {
      out[k] = static_cast<float>(Reduction::result(totals_[k], count_));
    }
  }

 private:
  Buffer<double> totals_;
  double count_ = 0;
};

template <class Reduction>
std::unique_ptr<Stream> reduce(const StreamSpec& input) {
  const std::size_t size = input.row_size();
  return std::make_unique<WindowedStream<Reduced<Reduction>>>(Reduced<Reduction>(size), std::nullopt,
                                                              std::nullopt, size, size);
}

}  // namespace

std::vector<Output> Mean::describe(const StreamSpec& input) const {
  return {{"", per_window(name, input, input, std::nullopt, std::nullopt)}};
}

std::vector<Output> Max::describe(const StreamSpec& input) const {
  return {{"", per_window(name, input, input, std::nullopt, std::nullopt)}};
}

std::unique_ptr<Stream> Mean::open(const StreamSpec& input) const { return reduce<MeanOf>(input); }
std::unique_ptr<Stream> Max::open(const StreamSpec& input) const { return reduce<MaxOf>(input); }

}  // namespace fastaudio
