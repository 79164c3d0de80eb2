/// Notices that sound waits for a consumer that doesn't come.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "core/options.hpp"
#include "live/clock.hpp"
#include "live/results.hpp"

namespace fastaudio::live {

/// Watches the results during one push. A thread that pushes everything before it takes anything would
/// otherwise wait for itself.
class Untaken {
 public:
  /// Without a limit it watches nothing.
  Untaken(const Results& results, std::optional<double> limit_s)
      : results_(results), limit_ns_(limit_s ? duration(*limit_s).count() : 0), last_ns_(now_ns()) {}

  /// Call it again and again while the push waits. Throws Overrun once the queue of results has been full for
  /// the limit and nobody has taken any.
  void look() {
    if (limit_ns_ == 0) return;
    const std::int64_t now = now_ns();
    // Counts no long time between two looks: the whole program may have been stopped meanwhile.
    const std::int64_t passed = std::min(now - last_ns_, kLongestLook_ns);
    last_ns_ = now;
    const auto n_taken = results_.taken_when_full();
    waited_ns_ = n_taken && n_taken == n_taken_ ? waited_ns_ + passed : 0;
    n_taken_ = n_taken;
    if (waited_ns_ < limit_ns_) return;
    throw Overrun("live: expected results to be taken while sound is pushed, got none taken for " +
                  format(1e-9 * static_cast<double>(limit_ns_)) + " s while " +
                  std::to_string(results_.size()) +
                  " waited; take them in another thread, or choose overflow 'drop_oldest'");
  }

 private:
  static constexpr std::int64_t kLongestLook_ns = 200'000'000;

  const Results& results_;
  std::int64_t limit_ns_;
  std::int64_t last_ns_;
  std::int64_t waited_ns_ = 0;
  std::optional<std::int64_t> n_taken_;
};

}  // namespace fastaudio::live
