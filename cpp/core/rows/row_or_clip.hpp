/// Base of streams that work on all values of a row at once, or on all values of the clip.
#pragma once

#include <algorithm>
#include <vector>

#include "core/rows/row_block.hpp"

namespace fastaudio {

/// Over the clip it keeps every row until flush, so its memory grows with the clip.
class RowOrClipStream : public Stream {
 public:
  RowOrClipStream(bool clip, std::size_t row_size) : clip_(clip), row_size_(row_size), block_(row_size) {}

 private:
  virtual void apply(float* values, std::size_t n) const = 0;

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    if (clip_) {
      kept_.insert(kept_.end(), rows, rows + n_rows * row_size_);
      return;
    }
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      float* out = block_.next(sink);
      std::copy_n(rows, row_size_, out);
      apply(out, row_size_);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (kept_.empty()) return;
    apply(kept_.data(), kept_.size());
    sink.write(0, kept_.data(), kept_.size() / row_size_);
  }

  bool clip_;
  std::size_t row_size_;
  RowBlock block_;
  std::vector<float> kept_;
};

}  // namespace fastaudio
