/// The stream of nodes that make one row of each window of rows, or of the whole clip.
#pragma once

#include <optional>
#include <utility>

#include "core/rows/row_block.hpp"
#include "core/rows/row_ring.hpp"

namespace fastaudio {

/// Windows begin at row 0 and every `hop` rows. Each is computed anew, because a running sum would keep
/// rounding errors of rows that have left it. A clip shorter than a window gives one row, made from
/// the rows that there are.
///
/// `Pooling` has reset(), add(const float* row) and write(float* out).
template <class Pooling>
class WindowedStream final : public Stream {
 public:
  WindowedStream(Pooling pooling, std::optional<int> window, std::optional<int> hop, std::size_t row_size,
                 std::size_t out_size)
      : pooling_(std::move(pooling)),
        window_(window.value_or(0)),
        hop_(hop.value_or(window.value_or(0))),
        row_size_(row_size),
        ring_(static_cast<std::size_t>(window_), row_size),
        block_(out_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      ++n_;
      if (window_ == 0) {
        pooling_.add(rows);
        pace_.did(row_size_);
        continue;
      }
      ring_.push(rows);
      if (n_ >= window_ && (n_ - window_) % hop_ == 0) emit(n_ - window_, sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (n_ > 0 && (window_ == 0 || n_ < window_)) emit(0, sink);
    block_.write(sink);
  }

  void emit(std::int64_t first, Sink& sink) {
    if (window_ > 0) {
      pooling_.reset();
      for (std::int64_t t = first; t < n_; ++t) {
        pooling_.add(ring_.at(t));
        pace_.did(row_size_);
      }
    }
    pooling_.write(block_.next(sink));
  }

  Pooling pooling_;
  std::int64_t window_;  ///< 0 for the clip
  std::int64_t hop_;
  std::size_t row_size_;
  RowRing ring_;
  RowBlock block_;
  Pace pace_;
  std::int64_t n_ = 0;
};

}  // namespace fastaudio
