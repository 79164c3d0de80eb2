/// Sound between the thread that captures it and those that read it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastaudio::live {

/// One writer, any number of readers, no locks. A frame is a sample of each channel; positions are 64-bit
/// counts of frames and never wrap. The writer never waits: it overwrites the oldest frames, and a reader
/// that was too slow is told how many it lost.
///
/// Each value is an atomic of its own, stored with release and loaded with acquire: a reader that sees a
/// new value also sees that its place was claimed before, and knows the old one to be gone.
class CaptureRing {
 public:
  /// Position of the first frame to come is `first`.
  CaptureRing(std::size_t capacity, std::size_t channels, std::int64_t first);

  std::size_t capacity() const { return capacity_; }
  std::size_t channels() const { return channels_; }

  /// Frames up to here are written.
  std::int64_t end() const { return end_.load(std::memory_order_acquire); }

  /// No frame before this one can be read: it is overwritten, or never was.
  std::int64_t begin() const {
    const std::int64_t oldest =
        claimed_.load(std::memory_order_acquire) - static_cast<std::int64_t>(capacity_);
    return std::max(oldest, first_);
  }

  /// Takes interleaved frames. The writer's alone; waits for nothing, allocates nothing. A value that isn't
  /// finite counts as silence: returns how many there were.
  std::size_t write(const float* frames, std::size_t n);
  /// 16-bit values count as full scale +-1.
  std::size_t write(const std::int16_t* frames, std::size_t n);

  /// Copies `n` frames from `position`, at least that of the first and all written; returns how many of the
  /// first were overwritten before they were read: those are rubbish.
  std::size_t read(std::int64_t position, std::size_t n, float* to) const;

  /// Largest magnitude written since the last call.
  float take_peak() { return peak_.exchange(0, std::memory_order_relaxed); }

 private:
  template <class Value>
  std::size_t write_values(const Value* frames, std::size_t n);

  std::size_t place(std::int64_t position) const {
    const auto offset = static_cast<std::uint64_t>(position - first_);
    return static_cast<std::size_t>(offset % capacity_) * channels_;
  }

  // What a sound card's callback needs must not be a lock in disguise.
  static_assert(std::atomic<float>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

  std::size_t capacity_;
  std::size_t channels_;
  std::int64_t first_;
  std::vector<std::atomic<float>> values_;
  alignas(64) std::atomic<std::int64_t> claimed_;  ///< end of what is being written
  std::atomic<std::int64_t> end_;
  std::atomic<float> peak_{0};
};

}  // namespace fastaudio::live
