/// A ring buffer between the thread that captures sound and the threads that read it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace fastaudio::live {

/// One writer, any number of readers, no locks. A sample here is one value of every channel; positions are
/// 64-bit counts of samples and never wrap. The writer never waits: it overwrites the oldest samples, and a
/// reader that was too slow learns how many it lost.
///
/// Every value is an atomic, stored with release and loaded with acquire: a reader that sees a new value
/// also sees that its place was claimed, and so knows that the old value is gone.
class CaptureRing {
 public:
  /// The first sample that is written gets the position `first`.
  CaptureRing(std::size_t capacity, std::size_t channels, std::int64_t first);

  std::size_t capacity() const { return capacity_; }
  std::size_t channels() const { return channels_; }

  /// All samples before this one are written.
  std::int64_t end() const { return end_.load(std::memory_order_acquire); }

  /// Samples that can be read, from position `begin` up to `end`. The writer skipped none between them, and
  /// `skipped` before them.
  struct Piece {
    std::int64_t begin;
    std::int64_t end;
    std::int64_t skipped;
  };

  /// The samples that come next from `position` on, at most `capacity()`. What is left out before them was
  /// overwritten or skipped.
  Piece next(std::int64_t position) const;

  /// No sample before this one can be read: it was overwritten, skipped, or never existed.
  std::int64_t begin() const { return next(first_).begin; }

  /// How many samples were written; those that were skipped don't count.
  std::int64_t n_written() const { return claimed_.load(std::memory_order_acquire) - first_; }

  /// Writes interleaved samples. Only one thread may call it; it neither waits nor allocates. Values that
  /// aren't finite become silence; returns how many there were.
  std::size_t write(const float* samples, std::size_t n);
  /// 16-bit values are scaled to +-1.
  std::size_t write(const std::int16_t* samples, std::size_t n);

  /// The next `n` samples don't exist: the one that is written next comes after them. What came before can
  /// be read until it is overwritten, or until many more skips follow. Only the writer may call it; it
  /// neither waits nor allocates.
  void skip(std::int64_t n);

  /// Copies `n` samples from `position` on; all of them must have been written, without a skip between them.
  /// Returns how many of the first ones were overwritten before they were read: their contents are invalid.
  std::size_t read(std::int64_t position, std::size_t n, float* to) const;

  /// Largest magnitude written since the last call.
  float take_peak() { return peak_.exchange(0, std::memory_order_relaxed); }

 private:
  template <class Value>
  std::size_t write_values(const Value* samples, std::size_t n);

  /// Where a sample lies in the memory. `place` is its position less what was skipped before it.
  std::size_t offset_of(std::int64_t place) const {
    const auto offset = static_cast<std::uint64_t>(place - first_);
    return static_cast<std::size_t>(offset % capacity_) * channels_;
  }

  /// The piece that `position` is in, or else the next one, overwritten samples included.
  Piece piece_at(std::int64_t position, std::int64_t oldest_place) const;

  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint64_t kPieces = 32;
  struct Mark {
    std::atomic<std::int64_t> begin{0};
    std::atomic<std::int64_t> end{kOpen};  ///< open in the last one
    std::atomic<std::int64_t> skipped{0};
  };

  // A sound card's callback writes these, so they must not hide a lock.
  static_assert(std::atomic<float>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

  std::size_t capacity_;
  std::size_t channels_;
  std::int64_t first_;
  std::vector<std::atomic<float>> values_;
  std::int64_t skipped_ = 0;                       ///< the writer's
  alignas(64) std::atomic<std::int64_t> claimed_;  ///< places before this one are written, or being written
  std::atomic<std::int64_t> end_;
  std::array<Mark, kPieces> marks_;  ///< of the latest pieces
  std::atomic<std::uint64_t> n_pieces_{1};
  std::atomic<float> peak_{0};
};

}  // namespace fastaudio::live
