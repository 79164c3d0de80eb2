/// When each block of sound arrived.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "live/clock.hpp"

namespace fastaudio::live {

/// Remembers where the latest blocks ended and when they came. One writer, any number of readers, no locks;
/// every call takes constant time.
class Arrivals {
 public:
  /// Records that a block which ends at `position` came at `time_ns`. The writer calls it before the block
  /// can be read.
  void note(std::int64_t position, std::int64_t time_ns) {
    const std::uint64_t n = n_.load(std::memory_order_relaxed);
    Mark& mark = marks_[n % kMarks];
    mark.end.store(position, std::memory_order_release);
    mark.time_ns.store(time_ns, std::memory_order_release);
    n_.store(n + 1, std::memory_order_release);
  }

  /// When the latest block came; nothing before the first one.
  std::optional<std::int64_t> last() const {
    const std::uint64_t n = n_.load(std::memory_order_acquire);
    if (n == 0) return std::nullopt;
    return at(n - 1).time_ns.load(std::memory_order_acquire);
  }

  /// When the sample before `position` arrived; the oldest time still known if that block is too old.
  std::int64_t time_of(std::int64_t position) const {
    const std::uint64_t n = n_.load(std::memory_order_acquire);
    if (n == 0) return now_ns();
    std::uint64_t low = n > kMarks / 2 ? n - kMarks / 2 : 0;  // older ones may be overwritten meanwhile
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

  /// When the sample before `position` will arrive if blocks keep coming like the last one, at `rate_hz`
  /// samples per second; nothing before the first block.
  std::optional<std::int64_t> expected(std::int64_t position, double rate_hz) const {
    const std::uint64_t n = n_.load(std::memory_order_acquire);
    if (n == 0) return std::nullopt;
    const std::int64_t end = at(n - 1).end.load(std::memory_order_acquire);
    const std::int64_t block = n > 1 ? end - at(n - 2).end.load(std::memory_order_acquire) : 1;
    const std::int64_t step = std::max<std::int64_t>(block, 1);
    const std::int64_t samples = (position - end + step - 1) / step * step;
    return at(n - 1).time_ns.load(std::memory_order_acquire) +
           static_cast<std::int64_t>(1e9 * static_cast<double>(std::max<std::int64_t>(samples, 0)) / rate_hz);
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
