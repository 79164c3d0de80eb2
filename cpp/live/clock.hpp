/// The clock of live streams.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace fastaudio::live {

/// Nanoseconds of a clock that never goes back.
inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Seconds as a duration to wait for: 0 for what isn't a positive number, 1e6 s at most.
inline std::chrono::nanoseconds duration(double seconds) {
  const double some_s = seconds > 0 ? std::min(seconds, 1e6) : 0;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * some_s));
}

}  // namespace fastaudio::live
