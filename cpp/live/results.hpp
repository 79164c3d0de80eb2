/// What a live stream has found, until somebody takes it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <vector>

namespace fastaudio::live {

/// Rows of one output that came out together.
struct Result {
  int network = 0;             ///< which of the networks it had one after the other gave it
  std::size_t output = 0;      ///< index among that network's outputs
  std::int64_t first_row = 0;  ///< count of the first row since `base_s`
  std::size_t n_rows = 0;
  std::vector<float> values = {};
  double base_s = 0;         ///< time of row 0
  double until_s = 0;        ///< the sound that was run ends here
  std::int64_t n_lost = 0;   ///< frames lost just before the first of these rows
  bool provisional = false;  ///< of a clip that ends here, before the first whole window is there
};

/// A queue from one worker to any number of consumers. Thread-safe.
class Results {
 public:
  enum class Beyond { drop_oldest, keep };

  /// With `keep`, who puts looks at `full` and waits.
  Results(std::size_t capacity, Beyond beyond) : capacity_(capacity), beyond_(beyond) {}

  /// Beyond the capacity the oldest is dropped; what was lost before it is told with the next.
  void put(Result result);

  /// Waits for one: none after `timeout`, or when there will be no more (see `ended`). Rethrows the error
  /// that ended the stream, once all before it is taken.
  std::optional<Result> take(std::chrono::nanoseconds timeout);

  /// No more will come; `error` may tell why. The first call counts.
  void end(std::exception_ptr error = nullptr);

  /// Ends, and forgets what nobody took.
  void close();

  bool ended() const;  ///< and all is taken
  bool full() const;
  std::size_t size() const;
  std::int64_t n_dropped() const;  ///< rows

 private:
  mutable std::mutex mutex_;
  std::condition_variable there_;
  std::deque<Result> queue_;
  std::size_t capacity_;
  Beyond beyond_;
  std::int64_t n_dropped_ = 0;
  bool ending_ = false;
  std::exception_ptr error_;
};

}  // namespace fastaudio::live
