/// Gathers rows that come one by one into blocks for a sink: a virtual call a block, not a row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/node.hpp"

namespace fastaudio {

class RowBlock {
 public:
  explicit RowBlock(std::size_t row_size)
      : row_size_(row_size),
        capacity_(std::max<std::size_t>(1, kValues / row_size)),
        values_(capacity_ * row_size) {}

  /// Where the next row belongs. A full block goes to `sink` first.
  float* next(Sink& sink) {
    if (n_ == capacity_) write(sink);
    return &values_[row_size_ * n_++];
  }

  /// Hands over what was gathered: at the end of each push.
  void write(Sink& sink) {
    if (n_ > 0) sink.write(0, values_.data(), n_);
    n_ = 0;
  }

 private:
  static constexpr std::size_t kValues = 4096;

  std::size_t row_size_;
  std::size_t capacity_;
  std::vector<float> values_;
  std::size_t n_ = 0;
};

}  // namespace fastaudio
