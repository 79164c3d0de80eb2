/// One microphone, or whatever else gives sound as time goes by, run through a network.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "live/arrivals.hpp"
#include "live/capture_ring.hpp"
#include "live/chain.hpp"
#include "live/latencies.hpp"
#include "live/results.hpp"

namespace fastaudio::live {

/// What happens when sound comes faster than it is run: the oldest is lost and counted, the writer waits,
/// or the stream ends with an Overrun.
enum class Overflow { drop_oldest, block, raise };

struct LiveOptions {
  Overflow overflow = Overflow::drop_oldest;
  double buffer_s = 5;           ///< sound kept for the worker
  double provisional_s = 0;      ///< length of a first clip whose results come early; 0: none
  std::int64_t start_frame = 0;  ///< count of the first frame, which time stamps begin with
  /// Results kept for the consumer: beyond that the oldest are lost; with `block` those of one turn are
  /// kept as well, then the sound waits.
  std::int64_t max_results = 1024;
};

struct LiveStats {
  std::int64_t captured = 0;   ///< frames; the sum of the next three
  std::int64_t delivered = 0;  ///< run
  std::int64_t dropped = 0;    ///< lost in gaps
  std::int64_t waiting = 0;    ///< in the buffer
  std::int64_t n_gaps = 0;
  std::int64_t n_bad = 0;        ///< values that weren't finite: silence instead
  std::int64_t n_overflows = 0;  ///< times that the device itself lost sound before it came here
  std::size_t results_waiting = 0;
  std::int64_t results_dropped = 0;  ///< rows that nobody took in time
  double sound_s = 0;                ///< delivered
  double busy_s = 0;                 ///< spent on that
  double latency_p50_s = 0;  ///< from the arrival of the last frame that a row needs until it can be taken
  double latency_p99_s = 0;
  double latency_max_s = 0;
  std::vector<PartTime> parts;
};

/// Sound goes in through `capture` or `push`, a pool's worker runs it, results come out of `results`.
///
/// Sound between two gaps is a stretch, and is run as a clip of its own: flushed at its end, all state
/// cleared at the next one's start. So each row is what the same network gives offline for those samples.
/// Time stamps count frames of the source, those lost included.
class LiveStream {
 public:
  /// `input` is what the source gives: rate and channels. With `hold`, rows wait for a batch: see Chain.
  LiveStream(NodePtr node, const StreamSpec& input, const LiveOptions& options, bool hold);

  // The source's side.

  /// Takes frames from a sound card's callback. Allocates nothing, takes no lock, waits for nothing; when
  /// the worker is too slow the oldest are lost. One thread, which `push` may not share it with.
  /// `overflowed`: the device has lost sound before these.
  void capture(const float* frames, std::size_t n, bool overflowed) noexcept;

  /// Takes frames from any threads, one's after the other's, and returns how many: all, unless the policy is
  /// to wait for room and that takes longer than `patience`. Throws StateError after finish, close or an
  /// error; Overrun if there is no room and that is the policy: none of the frames are taken then.
  template <class Value>
  std::size_t push(const Value* frames, std::size_t n,
                   std::chrono::nanoseconds patience = std::chrono::nanoseconds::max());

  /// The sound ends here: what was taken is run and flushed, then the results end. What a sound card still
  /// brings isn't run.
  void finish();

  /// Stops after the turn that runs now, about one row; doesn't wait for it. Nothing comes out any more.
  void close();

  // The consumer's side.

  Results& results() { return results_; }
  LiveStats stats() const;
  float take_peak() { return ring_.take_peak(); }
  const CaptureRing& ring() const { return ring_; }
  const StreamSpec& input() const { return input_; }
  double time_of(std::int64_t frame) const { return static_cast<double>(frame) / input_.rate_hz; }

  /// From the next patch on, `node` gives the results, as network number `network`. Throws ValueError if it
  /// can't take over; see Chain.
  void exchange(NodePtr node, int network);

  // The pool's side. What isn't const needs the claim.

  /// Called when a push makes the stream ready.
  void on_ready(std::function<void()> wake) { wake_ = std::move(wake); }
  bool done() const { return done_.load(std::memory_order_acquire); }
  bool closing() const { return closing_.load(std::memory_order_acquire); }
  bool ready() const;
  /// When to look again, if blocks go on as they came; the later they are, the less often.
  double ready_in_s() const;
  bool claim() { return !claimed_.exchange(true, std::memory_order_acquire); }
  void unclaim() { claimed_.store(false, std::memory_order_release); }
  bool claimed() const { return claimed_.load(std::memory_order_acquire); }

  /// Runs what is there, up to about one row of results. Errors end the stream.
  void service();

  /// Held rows, see Chain; `resume` passes on what a batch gave, `resumed` ends that: running them took
  /// `time_ns`. Errors end the stream.
  Chain& chain() { return chain_; }
  void resume(std::size_t output, const float* rows, std::size_t n_rows);
  void resumed(std::int64_t time_ns);
  void fail(std::exception_ptr error);

 private:
  /// Stamps rows and puts them into the queue.
  class Stamp;

  template <class Value>
  void take(const Value* frames, std::size_t n);
  template <class Work>
  void in_time(Work&& work);  ///< counted, and its errors end the stream
  void run();
  void run_exchange();
  void deliver(const float* frames, std::size_t n);
  void run_provisional();
  void skip_gap(std::int64_t last);
  void plan();
  void accept(Result result, const float* rows);
  void check_open() const;
  bool wait_for_room(std::chrono::nanoseconds patience);
  std::size_t room() const;
  std::int64_t frames_of(double seconds) const;
  std::int64_t quarter() const { return static_cast<std::int64_t>(ring_.capacity()) / 4 + 1; }

  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();
  bool finishing() const { return finish_at_.load(std::memory_order_acquire) != kOpen; }

  StreamSpec input_;
  LiveOptions options_;
  CaptureRing ring_;
  Arrivals arrivals_;
  Results results_;
  Chain chain_;
  std::function<void()> wake_;

  std::mutex writers_;     ///< held by `push` from a block's first frame to its last
  std::mutex room_mutex_;  ///< the next one's
  std::condition_variable room_there_;
  std::atomic<std::int64_t> n_bad_{0};
  std::atomic<std::int64_t> n_overflows_{0};
  std::atomic<std::int64_t> finish_at_{kOpen};  ///< end of the sound
  std::atomic<bool> closing_{false};
  std::atomic<bool> done_{false};
  std::atomic<bool> claimed_{false};

  std::mutex exchange_mutex_;  ///< guards the next two
  NodePtr next_node_;
  int next_network_ = 0;
  std::atomic<bool> exchanging_{false};

  // The worker's; what others read is atomic.
  std::vector<float> frames_;       ///< a copy of what is run in one turn
  std::vector<float> opening_;      ///< the stretch's first frames, for the provisional clip
  std::size_t n_provisional_;       ///< frames of that clip
  bool opened_ = false;             ///< the provisional clip of this stretch is done
  std::atomic<std::int64_t> read_;  ///< frames up to here are taken from the ring
  std::atomic<std::int64_t> need_;  ///< nothing is to be done before this frame is there
  std::int64_t stretch_;            ///< first frame of this stretch
  int network_ = 0;
  double base_s_ = 0;                   ///< of the network's rows, from the stretch's start
  std::vector<std::int64_t> rows_out_;  ///< by output, since base_s_
  std::int64_t lost_ = 0;               ///< frames lost since the last result
  mutable std::mutex gaps_mutex_;       ///< held where `read_` passes over a gap; guards the next two
  std::int64_t n_dropped_ = 0;
  std::int64_t n_gaps_ = 0;
  std::atomic<std::int64_t> busy_ns_{0};
  Latencies latencies_;
};

extern template std::size_t LiveStream::push(const float*, std::size_t, std::chrono::nanoseconds);
extern template std::size_t LiveStream::push(const std::int16_t*, std::size_t, std::chrono::nanoseconds);

}  // namespace fastaudio::live
