#include "nodes/pool.hpp"

#include <algorithm>
#include <limits>

namespace fastaudio {

namespace {

/// The stream keeps no reference to its node: pooling has no options.
class PoolStream : public Stream {
 public:
  PoolStream(std::size_t row_size, double start) : totals_(row_size, start), row_(row_size) {}

 private:
  virtual void add(double& total, double value) const = 0;
  virtual double result(double total, double count) const = 0;

  void do_push(const float* rows, std::size_t n_rows, Sink&) override {
    for (std::size_t i = 0; i < n_rows; ++i, rows += totals_.size()) {
      for (std::size_t k = 0; k < totals_.size(); ++k) add(totals_[k], rows[k]);
    }
    count_ += static_cast<double>(n_rows);
  }

  void do_flush(Sink& sink) override {
    if (count_ == 0) return;
    for (std::size_t k = 0; k < totals_.size(); ++k) {
      row_[k] = static_cast<float>(result(totals_[k], count_));
    }
    sink.write(0, row_.data(), 1);
  }

  std::vector<double> totals_;
  std::vector<float> row_;
  double count_ = 0;
};

class MeanStream final : public PoolStream {
 public:
  explicit MeanStream(std::size_t row_size) : PoolStream(row_size, 0) {}

 private:
  void add(double& total, double value) const override { total += value; }
  double result(double total, double count) const override { return total / count; }
};

class MaxStream final : public PoolStream {
 public:
  explicit MaxStream(std::size_t row_size) : PoolStream(row_size, -std::numeric_limits<double>::infinity()) {}

 private:
  void add(double& total, double value) const override { total = std::max(total, value); }
  double result(double total, double) const override { return total; }
};

std::vector<Output> once(const StreamSpec& input) {
  StreamSpec spec = input;
  spec.rate_hz = 0;
  spec.span_s = 0;
  return {{"", spec}};
}

}  // namespace

std::vector<Output> Mean::outputs(const StreamSpec& input) const { return once(input); }
std::vector<Output> Max::outputs(const StreamSpec& input) const { return once(input); }

std::unique_ptr<Stream> Mean::open(const StreamSpec& input) const {
  return std::make_unique<MeanStream>(input.row_size());
}

std::unique_ptr<Stream> Max::open(const StreamSpec& input) const {
  return std::make_unique<MaxStream>(input.row_size());
}

}  // namespace fastaudio
