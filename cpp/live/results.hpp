/// Results of a live stream, and the queue that they wait in.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fastaudio::live {

/// Rows of one output that came out together.
struct Result {
  int network = 0;             ///< number of the network that gave them: each swap counts one up
  std::size_t output = 0;      ///< index among that network's outputs
  std::int64_t first_row = 0;  ///< number of the first row, counted from `base_s`
  std::size_t n_rows = 0;
  std::vector<float> values = {};
  double base_s = 0;         ///< time of row 0
  double until_s = 0;        ///< end of the sound that was run
  std::int64_t n_lost = 0;   ///< samples lost just before the first of these rows; 0 if provisional
  bool provisional = false;  ///< whether they come from a shortened first clip, which ends at `until_s`
};

/// A queue from one worker to any number of consumers. Thread-safe.
class Results {
 public:
  /// What `put` does with a full queue: drop the oldest result, or keep them all.
  enum class WhenFull { drop_oldest, keep };

  /// The worker has to look at `full` and wait if all are kept.
  Results(std::size_t capacity, WhenFull when_full) : capacity_(capacity), when_full_(when_full) {}

  /// Adds a result. The `n_lost` of a dropped one is added to that of its output's next.
  void put(Result result);

  /// Waits for a result. Returns nothing after `timeout`, or when no more will come (see `ended`). Rethrows
  /// the error that ended the stream once all results before it are taken.
  std::optional<Result> take(std::chrono::nanoseconds timeout);

  /// No more will come, because of `error` if there is one. Only the first call counts.
  void end(std::exception_ptr error = nullptr);

  /// Ends the queue and drops everything in it, the error included.
  void close();

  /// The message of the error that ended the stream; empty if there is none.
  std::string reason() const;

  bool ended() const;  ///< no more will come, and all are taken
  bool full() const;
  /// How many results were taken so far if the queue is full, else nothing.
  std::optional<std::int64_t> taken_when_full() const;
  std::size_t size() const;
  std::int64_t n_dropped() const;  ///< in rows

 private:
  void drop_oldest();  // wants the lock

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Result> queue_;
  std::size_t capacity_;
  WhenFull when_full_;
  std::int64_t n_dropped_ = 0;
  std::int64_t n_taken_ = 0;
  std::vector<std::int64_t> owed_;  // lost samples that the next result of each output has to tell
  bool ending_ = false;
  std::exception_ptr error_;
};

}  // namespace fastaudio::live
