/// Gathers single rows into blocks for a sink, so that a virtual call is made per block, not per row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/budget.hpp"
#include "core/node.hpp"
#include "core/rows/pace.hpp"

namespace fastaudio {

class RowBlock {
 public:
  explicit RowBlock(std::size_t row_size)
      : row_size_(row_size),
        capacity_(std::max<std::size_t>(1, kValues / row_size)),
        values_(capacity_ * row_size) {}

  /// Memory for the next row. A full block goes to `sink` first.
  float* next(Sink& sink) {
    if (n_ == capacity_) write(sink);
    return &values_[row_size_ * n_++];
  }

  /// Hands over the rows gathered so far; call it at the end of each push.
  void write(Sink& sink) {
    if (n_ > 0) sink.write(0, values_.data(), n_);
    pace_.did(n_ * row_size_);
    n_ = 0;
  }

 private:
  static constexpr std::size_t kValues = 4096;

  std::size_t row_size_;
  std::size_t capacity_;
  Buffer<float> values_;
  std::size_t n_ = 0;
  Pace pace_;
};

}  // namespace fastaudio
