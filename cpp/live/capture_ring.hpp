/// A ring buffer between the thread that captures sound and the threads that read it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
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

  /// No sample before this one can be read: it was overwritten, skipped, or never existed.
  std::int64_t begin() const {
    const std::int64_t oldest =
        claimed_.load(std::memory_order_acquire) - static_cast<std::int64_t>(capacity_);
    return std::max(oldest, floor());
  }

  /// Where the writer last went on after a skip; at first, the first sample.
  std::int64_t floor() const { return floor_.load(std::memory_order_acquire); }

  /// Writes interleaved samples. Only one thread may call it; it neither waits nor allocates. Values that
  /// aren't finite become silence; returns how many there were.
  std::size_t write(const float* samples, std::size_t n);
  /// 16-bit values are scaled to +-1.
  std::size_t write(const std::int16_t* samples, std::size_t n);

  /// The next `n` samples don't exist: the one that is written next comes after them, and nothing before it
  /// can be read any more. Only the writer may call it; it neither waits nor allocates.
  void skip(std::int64_t n);

  /// Copies `n` samples from `position` on; all of them must have been written. Returns how many of the first
  /// ones were overwritten before they were read: their contents are invalid.
  std::size_t read(std::int64_t position, std::size_t n, float* to) const;

  /// Largest magnitude written since the last call.
  float take_peak() { return peak_.exchange(0, std::memory_order_relaxed); }

 private:
  template <class Value>
  std::size_t write_values(const Value* samples, std::size_t n);

  std::size_t offset_of(std::int64_t position) const {
    const auto offset = static_cast<std::uint64_t>(position - first_);
    return static_cast<std::size_t>(offset % capacity_) * channels_;
  }

  // A sound card's callback writes these, so they must not hide a lock.
  static_assert(std::atomic<float>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

  std::size_t capacity_;
  std::size_t channels_;
  std::int64_t first_;
  std::vector<std::atomic<float>> values_;
  alignas(64) std::atomic<std::int64_t> claimed_;  ///< samples before this one are written, or being written
  std::atomic<std::int64_t> end_;
  std::atomic<std::int64_t> floor_;
  std::atomic<float> peak_{0};
};

}  // namespace fastaudio::live
