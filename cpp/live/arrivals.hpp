/// When each block of sound arrived.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace fastaudio::live {

/// Nanoseconds of a clock that never goes back.
inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// The last blocks' ends and times. One writer, any number of readers, no locks; all in constant time.
class Arrivals {
 public:
  /// A block that ends at `position` comes now: told before anybody can read it. The writer's.
  void note(std::int64_t position, std::int64_t time_ns) {
    const std::uint64_t n = n_.load(std::memory_order_relaxed);
    Mark& mark = marks_[n % kMarks];
    mark.end.store(position, std::memory_order_release);
    mark.time_ns.store(time_ns, std::memory_order_release);
    n_.store(n + 1, std::memory_order_release);
  }

  /// When the frame before `position` arrived; the oldest time still known if that block is forgotten.
  std::int64_t time_of(std::int64_t position) const {
    const std::uint64_t n = n_.load(std::memory_order_acquire);
    if (n == 0) return now_ns();
    std::uint64_t low = n > kMarks / 2 ? n - kMarks / 2 : 0;  // those before may be overwritten now
    std::uint64_t high = n - 1;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (at(middle).end.load(std::memory_order_acquire) < position) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return at(low).time_ns.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::uint64_t kMarks = 4096;
  struct Mark {
    std::atomic<std::int64_t> end{0};
    std::atomic<std::int64_t> time_ns{0};
  };
  const Mark& at(std::uint64_t i) const { return marks_[i % kMarks]; }

  std::array<Mark, kMarks> marks_;
  std::atomic<std::uint64_t> n_{0};
};

}  // namespace fastaudio::live
