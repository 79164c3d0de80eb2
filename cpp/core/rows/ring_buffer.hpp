/// A ring whose first items are kept twice, so that any window of it is contiguous in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/budget.hpp"

namespace fastaudio {

/// One thread may use it. Positions count items since the start in 64 bits and never wrap. The ring holds
/// `capacity` items; `window` is the longest contiguous read.
class RingBuffer {
 public:
  /// `window` is at most `capacity`.
  RingBuffer(std::size_t capacity, std::size_t window)
      : capacity_(capacity), items_(capacity + window, 0.0f) {}

  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  std::size_t free() const { return capacity_ - size(); }

  /// Appends `n` <= free() items.
  void write(const float* items, std::size_t n) {
    while (n > 0) {
      const std::size_t at = index_of(end_);
      const std::size_t run = std::min(n, capacity_ - at);
      std::memcpy(&items_[at], items, run * sizeof(float));
      const std::size_t mirror = items_.size() - capacity_;
      if (at < mirror) {
        std::memcpy(&items_[capacity_ + at], items, std::min(run, mirror - at) * sizeof(float));
      }
      end_ += static_cast<std::int64_t>(run);
      items += run;
      n -= run;
    }
  }

  /// Contiguous items from `position`, which is at least `begin()`: up to `window` of those before `end()`.
  const float* at(std::int64_t position) const { return &items_[index_of(position)]; }

  /// Forgets everything before `position` <= end().
  void discard_before(std::int64_t position) { begin_ = std::max(begin_, position); }

  /// Forgets everything and goes on at `position`.
  void restart_at(std::int64_t position) { begin_ = end_ = position; }

 private:
  std::size_t index_of(std::int64_t position) const {
    return static_cast<std::size_t>(position % static_cast<std::int64_t>(capacity_));
  }

  std::size_t capacity_;
  Buffer<float> items_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace fastaudio
