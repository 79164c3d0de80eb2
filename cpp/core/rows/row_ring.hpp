/// The last rows of a stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/budget.hpp"

namespace fastaudio {

/// Keeps the last `n_rows` rows. Rows are numbered from the start of the stream, and numbers never wrap.
class RowRing {
 public:
  RowRing(std::size_t n_rows, std::size_t row_size)
      : n_rows_(static_cast<std::int64_t>(n_rows)), row_size_(row_size), values_(n_rows * row_size) {}

  /// Overwrites the oldest row once all are in use.
  void push(const float* row) {
    std::copy_n(row, row_size_, values_.data() + offset(end_));
    ++end_;
  }

  /// The oldest row that is still there, and the number of rows pushed.
  std::int64_t begin() const { return std::max<std::int64_t>(0, end_ - n_rows_); }
  std::int64_t end() const { return end_; }

  /// A row from `begin()` to before `end()`; valid until it is overwritten.
  const float* at(std::int64_t row) const { return values_.data() + offset(row); }

 private:
  std::size_t offset(std::int64_t row) const { return static_cast<std::size_t>(row % n_rows_) * row_size_; }

  std::int64_t n_rows_;
  std::size_t row_size_;
  Buffer<float> values_;
  std::int64_t end_ = 0;
};

}  // namespace fastaudio
