/// The threads that run live streams.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "core/options.hpp"
#include "core/platform.hpp"
#include "live/batch.hpp"
#include "live/live_stream.hpp"

namespace fastaudio::live {

struct PoolOptions {
  int workers = 1;
  int batch = 1;
  double batch_wait_s = 0;

  static auto fields() {
    return std::tuple{
        Field{"workers", &PoolOptions::workers, Range{1, 1024}, "", "The largest number of threads."},
        Field{
            "batch", &PoolOptions::batch, Range{1, 4096}, "rows",
            "The most rows of several streams that a network takes in one run; 1 runs each row alone, and so "
            "does a network that gives rows other numbers together than alone."},
        Field{"batch_wait_s", &PoolOptions::batch_wait_s, Range{0, 60}, "s",
              "The longest that a row waits for others."}};
  }
};

/// Runs any number of streams on a few workers. Streams that are ready take turns, each for about one row
/// of results, so that none waits for another's backlog.
///
/// The sound card's callback doesn't wake a worker, since that would be a system call. Instead a worker
/// sleeps until the block that completes the next row is expected, 0.5 s at most, then looks every 2 ms, and
/// less often the longer that block is late.
/// Thread-safe. After a fork the child's copy does nothing.
class Pool {
 public:
  explicit Pool(const PoolOptions& options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const PoolOptions& options() const { return options_; }

  /// Adds a stream, before anything is pushed to it. Starts a worker if fewer run than there are streams,
  /// up to `workers`.
  void add(const std::shared_ptr<LiveStream>& stream);

  /// Closes a stream and waits until no worker runs it, for `timeout_s` at most; a worker that takes longer
  /// releases the stream once the part that runs is done. Throws what `check_interrupt` throws, if it has to
  /// wait; the stream is closed all the same.
  void remove(const std::shared_ptr<LiveStream>& stream, double timeout_s);

  /// Stops running streams until `resume`.
  void pause();
  void resume();

  /// Number of open streams.
  std::size_t size() const;

  /// Closes all streams and ends the workers, each after what it runs now; no stream can be added after
  /// that. May be called twice, and from two threads: the first call waits for the workers.
  void close();

 private:
  struct Shared;

  static void work(Shared& shared);

  PoolOptions options_;
  std::shared_ptr<Shared> shared_;  ///< the workers hold it too; a fork's child never frees it
  std::unique_ptr<std::vector<std::thread>> workers_ = std::make_unique<std::vector<std::thread>>();
  platform::ForkGuard guard_;
};

}  // namespace fastaudio::live
