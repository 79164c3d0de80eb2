/// A network that runs over sound from a microphone, or from any other source that goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/interrupt.hpp"
#include "live/chain.hpp"
#include "live/intake.hpp"
#include "live/latencies.hpp"
#include "live/results.hpp"
#include "live/untaken.hpp"

namespace fastaudio::live {

/// Sound goes in through `capture` or `push`, a pool's worker runs it, results come out of `results`.
///
/// The sound between two gaps is a stretch, which is run like a clip: flushed at its end, with all state
/// cleared at the next one's start. So each row is what the same network gives offline for those samples.
/// Time stamps count the source's samples, lost ones included.
class LiveStream {
 public:
  /// `input` is what the source gives: rate and channels. With `hold`, rows wait for a batch: see Chain.
  LiveStream(NodePtr node, const StreamSpec& input, const LiveOptions& options, bool hold);

  // The source's side.

  /// Takes samples from a sound card's callback. Allocates nothing, takes no lock and waits for nothing; if
  /// the worker is too slow, the oldest samples are lost. Only one thread may call it, and no other may push.
  /// `overflowed` says that the device lost sound before these samples.
  void capture(const float* samples, std::size_t n, bool overflowed) noexcept {
    intake_.capture(samples, n, overflowed);
  }

  /// Takes samples from any thread; blocks of several threads follow one another whole. Throws StateError
  /// after finish, close or an error. Throws Overrun, and takes nothing, if there is no room and that is the
  /// policy. If the policy is to wait for room, throws Overrun once nobody takes the results for
  /// `push_timeout_s`; the stream goes on after it, but a part of the block was taken.
  template <class Value>
  void push(const Value* samples, std::size_t n) {
    Untaken untaken = watch();
    push(samples, n, std::chrono::nanoseconds::max(), untaken);
  }

  /// The same, but waits for room no longer than `patience`. Returns how many samples it took. `untaken`
  /// watches over all calls for one block.
  template <class Value>
  std::size_t push(const Value* samples, std::size_t n, std::chrono::nanoseconds patience, Untaken& untaken) {
    const auto taken = [this] {
      if (ready()) wake();
    };
    try {
      return intake_.push(samples, n, patience, taken, [&untaken] { untaken.look(); });
    } catch (const StateError& refused) {  // whoever only pushes hears of the error that ended it, too
      const std::string reason = results_.reason();
      if (reason.empty()) throw;
      throw StateError(refused.what() + (" once this is mended: " + reason));
    }
  }
  Untaken watch() const { return {results_, push_timeout_s_}; }

  /// The source feeds nothing for now, because its device was lost: the sound so far is run and flushed, and
  /// what comes next follows a gap. The source must have stopped feeding.
  void interrupt();

  /// Ends the sound: what was taken is run and flushed, then the results end. Samples that a sound card still
  /// brings aren't run.
  void finish();

  /// Ends the turn that runs now as `Cancel` ends work, and doesn't wait for that. No result comes out after.
  void close();

  // The consumer's side.

  Results& results() { return results_; }
  LiveStats stats() const;
  float take_peak() { return intake_.take_peak(); }
  const CaptureRing& ring() const { return intake_.ring(); }
  const StreamSpec& input() const { return input_; }

  /// `node` gives the results from the next patch on, as network number `network`. Throws ValueError if it
  /// can't take over; see Chain.
  void swap(NodePtr node, int network);

  // The pool's side. Calls that aren't const are for the worker that has claimed the stream.

  /// Calls `wake` whenever a push makes the stream ready.
  void on_ready(std::function<void()> wake) { wake_ = std::move(wake); }
  bool done() const { return intake_.stopped(); }
  bool closing() const { return intake_.closed(); }
  bool ready() const;
  /// Seconds until the next look, if blocks go on as they came; the later they are, the longer.
  double ready_in_s() const;
  bool claim() { return !claimed_.exchange(true, std::memory_order_acquire); }
  void unclaim() { claimed_.store(false, std::memory_order_release); }
  bool claimed() const { return claimed_.load(std::memory_order_acquire); }

  /// Runs the sound that is there, up to about one row of results. An error ends the stream.
  void service();

  /// The chain whose rows may wait for a batch. `pass_on` hands on rows that the batch gave, `end_batch`
  /// says that it has run and took `time_ns`. An error ends the stream.
  Chain& chain() { return chain_; }
  void pass_on(std::size_t output, const float* rows, std::size_t n_rows);
  void end_batch(std::int64_t time_ns);

  /// Ends the stream, because of `error` if there is one.
  void end(std::exception_ptr error = nullptr);

 private:
  class TimestampSink;

  template <class Work>
  void run_timed(Work&& work);
  void wake() const {
    if (wake_) wake_();
  }
  void run();
  void run_swap();
  void run_samples(const float* samples, std::size_t n);
  void run_provisional();
  void end_stretch();
  void skip_gap(std::int64_t end);
  void plan();
  void put(Result result, const float* rows);

  StreamSpec input_;
  Intake intake_;
  bool keeps_results_;
  std::optional<double> push_timeout_s_;
  Results results_;
  Chain chain_;
  std::function<void()> wake_;
  std::atomic<bool> claimed_{false};
  Cancel cancel_;  ///< what a worker runs for this stream

  std::mutex swap_mutex_;  ///< guards the next two
  NodePtr next_node_;
  int next_network_ = 0;
  std::atomic<bool> swapping_{false};

  // The worker's; what other threads read is atomic.
  std::vector<float> turn_samples_;      ///< the samples of one turn
  double provisional_s_;                 ///< length of the provisional clip; 0 for none
  std::size_t n_provisional_;            ///< the same in samples
  std::vector<float> provisional_;       ///< the first samples of this stretch, for the provisional clip
  bool provisional_done_ = false;        ///< whether this stretch has had its provisional clip
  std::atomic<std::int64_t> next_turn_;  ///< nothing can be done before this sample is there
  std::int64_t stretch_start_;           ///< first sample of this stretch
  bool between_stretches_ = false;       ///< the last one was flushed, and the next has no sound yet
  int network_ = 0;
  double base_s_ = 0;                   ///< time of the network's row 0, from the stretch's start
  std::vector<std::int64_t> rows_out_;  ///< by output, since base_s_
  std::vector<std::int64_t> lost_;      ///< samples lost since the last result of each output
  std::atomic<std::int64_t> busy_ns_{0};
  Latencies latencies_;
};

}  // namespace fastaudio::live
