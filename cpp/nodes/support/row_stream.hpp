/// The streams of nodes that make one row out of each row, independently of all others.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/rows/row_block.hpp"

namespace fastaudio {

/// `Row` is called as row(const float* in, float* out) and holds its tables and scratch.
template <class Row>
class RowStream final : public Stream {
 public:
  RowStream(Row row, std::size_t in_size, std::size_t out_size)
      : row_(std::move(row)), in_size_(in_size), work_(in_size * out_size), block_(out_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (std::size_t i = 0; i < n_rows; ++i) {
      row_(rows + i * in_size_, block_.next(sink));
      pace_.did(work_);
    }
    block_.write(sink);
  }

  Row row_;
  std::size_t in_size_;
  std::size_t work_;  ///< of a row, at most: that of a matrix
  RowBlock block_;
  Pace pace_;
};

template <class Row>
std::unique_ptr<Stream> stream_of_rows(Row row, const StreamSpec& input, const Output& output) {
  return std::make_unique<RowStream<Row>>(std::move(row), input.row_size(), output.spec.row_size());
}

/// Rows come out as they went in; only their spec differs.
class PassStream final : public Stream {
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override { sink.write(0, rows, n_rows); }
};

/// The output: `n` values of `unit` for each row of the input.
inline std::vector<Output> each_row(const StreamSpec& input, std::int64_t n, std::string unit) {
  StreamSpec spec = input;
  spec.shape = {n};
  spec.unit = std::move(unit);
  spec.clear_axis();
  spec.kind = StreamSpec::Kind::rows;
  return {{"", spec}};
}

}  // namespace fastaudio
