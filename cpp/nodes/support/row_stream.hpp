/// The streams of nodes that make one row out of each row, independently of all others.
#pragma once

#include <algorithm>
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

/// The same for a `Rows` that works on many rows at once: rows(const float* in, std::size_t n_rows, float*
/// out).
template <class Rows>
class BlockStream final : public Stream {
 public:
  BlockStream(Rows rows, std::size_t in_size, std::size_t out_size, std::size_t work)
      : rows_(std::move(rows)),
        in_size_(in_size),
        work_(work),
        rows_at_once_(std::max<std::size_t>(1, kBlock / std::max(in_size, out_size))),
        block_(rows_at_once_ * out_size) {}

 private:
  static constexpr std::size_t kBlock = 4096;

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    while (n_rows > 0) {
      const std::size_t n = std::min(n_rows, rows_at_once_);
      float* placed = sink.extend(0, n);
      float* out = placed != nullptr ? placed : block_.data();
      rows_(rows, n, out);
      if (placed == nullptr) sink.write(0, out, n);
      pace_.did(n * work_);
      rows += n * in_size_;
      n_rows -= n;
    }
  }

  Rows rows_;
  std::size_t in_size_;
  std::size_t work_;  ///< of a row
  std::size_t rows_at_once_;
  Buffer<float> block_;
  Pace pace_;
};

/// `work` is about how many values a row goes through.
template <class Rows>
std::unique_ptr<Stream> stream_of_blocks(Rows rows, const StreamSpec& input, const Output& output,
                                         std::size_t work) {
  return std::make_unique<BlockStream<Rows>>(std::move(rows), input.row_size(), output.spec.row_size(), work);
}

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
