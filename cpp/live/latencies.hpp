/// A histogram of latencies, in constant memory.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>

namespace fastaudio::live {

/// Counts latencies from 1 us to 1000 s in bins 5 % wide. One writer; readers may look at any time.
class Latencies {
 public:
  void add(std::int64_t latency_ns) {
    const double us = std::max(1.0, static_cast<double>(latency_ns) / 1000);
    const auto at = static_cast<std::size_t>(std::log10(us) * kPerDecade);
    counts_[std::min(at, kBins - 1)].fetch_add(1, std::memory_order_relaxed);
    if (latency_ns > max_ns_.load(std::memory_order_relaxed)) {
      max_ns_.store(latency_ns, std::memory_order_relaxed);
    }
  }

  /// The latency that `share` of them don't exceed, rounded up to its bin's end; 0 before the first.
  double quantile_s(double share) const {
    std::int64_t total = 0;
    for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
    const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
    std::int64_t below = 0;
    for (std::size_t i = 0; i < kBins && total > 0; ++i) {
      below += counts_[i].load(std::memory_order_relaxed);
      if (below >= wanted) return std::min(1e-6 * std::pow(10.0, double(i + 1) / kPerDecade), max_s());
    }
    return max_s();
  }

  double max_s() const { return 1e-9 * static_cast<double>(max_ns_.load(std::memory_order_relaxed)); }

 private:
  static constexpr std::size_t kPerDecade = 48;
  static constexpr std::size_t kBins = 9 * kPerDecade;
  std::array<std::atomic<std::int64_t>, kBins> counts_{};
  std::atomic<std::int64_t> max_ns_{0};
};

}  // namespace fastaudio::live
