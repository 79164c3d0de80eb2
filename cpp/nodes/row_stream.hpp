/// The stream of nodes that make one row of each row, and remember nothing between them.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/node.hpp"

namespace fastaudio {

/// A value below 0, which no magnitude is, counts as 0: sums of them stay divisors.
inline double magnitude(float value) { return value > 0 ? static_cast<double>(value) : 0.0; }

/// `Row` is called as row(const float* in, float* out) and holds its tables and scratch.
template <class Row>
class RowStream final : public Stream {
 public:
  RowStream(Row row, std::size_t in_size, std::size_t out_size)
      : row_(std::move(row)),
        in_size_(in_size),
        out_size_(out_size),
        rows_at_once_(std::max<std::size_t>(1, kBlock / out_size)),
        block_(rows_at_once_ * out_size) {}

 private:
  static constexpr std::size_t kBlock = 1024;

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    while (n_rows > 0) {
      const std::size_t n = std::min(n_rows, rows_at_once_);
      for (std::size_t i = 0; i < n; ++i) row_(rows + i * in_size_, &block_[i * out_size_]);
      sink.write(0, block_.data(), n);
      rows += n * in_size_;
      n_rows -= n;
    }
  }

  Row row_;
  std::size_t in_size_;
  std::size_t out_size_;
  std::size_t rows_at_once_;
  std::vector<float> block_;
};

template <class Row>
std::unique_ptr<Stream> stream_of_rows(Row row, const StreamSpec& input, const Output& output) {
  return std::make_unique<RowStream<Row>>(std::move(row), input.row_size(), output.spec.row_size());
}

/// What comes out: `n` values of `unit` for each row of the input.
inline std::vector<Output> each_row(const StreamSpec& input, std::int64_t n, std::string unit) {
  StreamSpec spec = input;
  spec.shape = {n};
  spec.unit = std::move(unit);
  spec.labels.clear();
  spec.bin_hz = 0;
  return {{"", spec}};
}

}  // namespace fastaudio
