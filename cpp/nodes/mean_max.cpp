#include "nodes/mean_max.hpp"

#include <algorithm>
#include <limits>

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

/// Keeps no reference to its node, which has no options.
template <class Reduction>
class ReducingStream final : public Stream {
 public:
  explicit ReducingStream(std::size_t row_size) : totals_(row_size, Reduction::start), row_(row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink&) override {
    for (std::size_t i = 0; i < n_rows; ++i, rows += totals_.size()) {
      for (std::size_t k = 0; k < totals_.size(); ++k) {
        totals_[k] = Reduction::add(totals_[k], static_cast<double>(rows[k]));
      }
    }
    count_ += static_cast<double>(n_rows);
  }

  void do_flush(Sink& sink) override {
    if (count_ == 0) return;
    for (std::size_t k = 0; k < totals_.size(); ++k) {
      row_[k] = static_cast<float>(Reduction::result(totals_[k], count_));
    }
    sink.write(0, row_.data(), 1);
  }

  std::vector<double> totals_;
  std::vector<float> row_;
  double count_ = 0;
};

std::vector<Output> once(const StreamSpec& input) {
  StreamSpec spec = input;
  spec.rate_hz = 0;
  spec.span_s = 0;
  return {{"", spec}};
}

}  // namespace

std::vector<Output> Mean::describe(const StreamSpec& input) const { return once(input); }
std::vector<Output> Max::describe(const StreamSpec& input) const { return once(input); }

std::unique_ptr<Stream> Mean::open(const StreamSpec& input) const {
  return std::make_unique<ReducingStream<MeanOf>>(input.row_size());
}

std::unique_ptr<Stream> Max::open(const StreamSpec& input) const {
  return std::make_unique<ReducingStream<MaxOf>>(input.row_size());
}

}  // namespace fastaudio
