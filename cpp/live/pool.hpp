/// The threads that run live streams.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/platform.hpp"
#include "live/batch.hpp"
#include "live/live_stream.hpp"

namespace fastaudio::live {

struct PoolOptions {
  int workers = 1;
  int batch = 1;            ///< rows of several streams that a network takes in one run; 1: none are shared
  double batch_wait_s = 0;  ///< how long a row waits for others at most
};

/// Any number of streams on a few workers. Each stream that is ready gets its turn, in order, for about a
/// row of results, so that none waits for another's backlog.
///
/// A worker looks for what is due rather than being woken by the sound card: waking it would be a system
/// call in the callback. It sleeps until the block that completes the next row is to be expected, 0.5 s at
/// most, then looks every 2 ms, and less often the longer that block is late.
/// Thread-safe. After a fork the child's copy does nothing.
class Pool {
 public:
  explicit Pool(const PoolOptions& options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const PoolOptions& options() const { return options_; }

  /// Before anything is pushed. A worker is started for it if fewer are running than streams, and than
  /// `workers`.
  void add(const std::shared_ptr<LiveStream>& stream);

  /// Closes a stream and waits until no worker runs it, at most `timeout_s`: the worker then lets go of it
  /// when the part that runs is done.
  void remove(const std::shared_ptr<LiveStream>& stream, double timeout_s);

  /// No stream gets a turn until `resume`.
  void pause();
  void resume();

  /// Streams that are open.
  std::size_t size() const;

  /// Closes all streams and ends the workers, each after what it runs now. No stream may be added then.
  /// Twice, or from two threads, does no harm: the first waits.
  void close();

 private:
  struct Shared;

  static void work(Shared& shared);

  PoolOptions options_;
  std::shared_ptr<Shared> shared_;  ///< the workers hold it too: what a fork leaves behind stays for ever
  std::unique_ptr<std::vector<std::thread>> workers_ = std::make_unique<std::vector<std::thread>>();
  platform::ForkGuard guard_;
};

}  // namespace fastaudio::live
