/// Sound on its way from a source to the worker that runs it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>

#include "core/spec.hpp"
#include "live/arrivals.hpp"
#include "live/capture_ring.hpp"
#include "live/options.hpp"
#include "live/stats.hpp"

namespace fastaudio::live {

/// Takes sound from a source, keeps it until the worker reads it, applies the overflow policy, and counts
/// what is lost. One worker reads; any thread may look at the counts.
class Intake {
 public:
  /// A worker runs this many seconds of sound at a time, or more if a row needs it. It is short, so that
  /// other streams don't wait long.
  static constexpr double kTurn_s = 0.25;

  /// Throws ValueError for options outside their range, an input without a rate, or sound that would need
  /// more than 1 GiB.
  Intake(const StreamSpec& input, const LiveOptions& options);

  const CaptureRing& ring() const { return ring_; }
  const Arrivals& arrivals() const { return arrivals_; }
  float take_peak() { return ring_.take_peak(); }
  std::int64_t frames_of(double seconds) const;
  double time_of(std::int64_t sample) const { return static_cast<double>(sample) / rate_hz_; }

  /// A quarter of the buffer, in samples: a worker takes its turn once so much waits.
  std::int64_t quarter() const { return static_cast<std::int64_t>(ring_.capacity()) / 4 + 1; }

  // The source's side; see LiveStream.

  void capture(const float* samples, std::size_t n, bool overflowed) noexcept;

  /// Calls `taken()` after each piece of the block, and `waiting()` again and again while there is no room.
  template <class Value, class Taken, class Waiting>
  std::size_t push(const Value* samples, std::size_t n, std::chrono::nanoseconds patience, Taken&& taken,
                   Waiting&& waiting) {
    const std::size_t n_all = n;
    const std::lock_guard lock(writers_);
    check_open();
    if (raises_) require_room(n);
    while (n > 0) {
      std::size_t piece = n;
      if (waits_) {
        if (!wait_for_room(patience, waiting)) return n_all - n;
        piece = std::min(n, room());
      }
      take(samples, piece);
      samples += piece * ring_.channels();
      n -= piece;
      taken();
    }
    return n_all;
  }

  /// The source feeds nothing for now: the stretch ends with what was taken so far, and the samples that come
  /// next follow a gap as long as the time from the last block to the next one.
  void interrupt();

  /// The sound ends with what was taken so far. Only the first call counts.
  void finish();
  bool finished() const { return finish_at_.load(std::memory_order_acquire) != kOpen; }

  /// Takes no more, because the stream has ended or, with `close`, because nobody wants its results. Writers
  /// that wait for room are refused.
  void stop();
  void close();
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  // The worker's side.

  /// Samples up to here were read, or skipped.
  std::int64_t position() const { return position_.load(std::memory_order_acquire); }

  /// Where the sound ends; the largest integer until it is finished. `finish` may arrive after more was
  /// read, then it is where reading stopped.
  std::int64_t end() const { return std::max(finish_at_.load(std::memory_order_acquire), position()); }

  /// Where the stretch has to end, because the source was interrupted there; the largest integer if it
  /// wasn't. The worker calls `pass_interruption` once it has ended a stretch.
  std::int64_t interrupted_at() const { return interrupted_at_.load(std::memory_order_acquire); }
  bool interrupted() const { return interrupted_at() != kOpen; }
  void pass_interruption() {
    std::int64_t at = interrupted_at();
    if (position() < at) return;  // it lies ahead, or there is none
    interrupted_at_.compare_exchange_strong(at, kOpen, std::memory_order_acq_rel);  // another may have come
  }

  /// Reads `n` samples to `to`. False if some of them were overwritten: then the gap has to be skipped.
  bool read(std::size_t n, float* to);

  /// Throws Overrun if sound was overwritten and the policy is to lose nothing.
  void require_no_gap() const;

  /// Skips what the source skipped, or what was overwritten, and then a quarter of the buffer more, so that
  /// the next gap doesn't follow at once; no further than `end`. Returns how many samples that lost.
  std::int64_t skip_gap(std::int64_t end);

  /// Fills in the counts of samples.
  void count(LiveStats& stats) const;

 private:
  template <class Value>
  void take(const Value* samples, std::size_t n) {
    resume(n);
    arrivals_.note(ring_.end() + static_cast<std::int64_t>(n), now_ns());
    const std::size_t n_bad = ring_.write(samples, n);
    if (n_bad > 0) n_bad_.fetch_add(static_cast<std::int64_t>(n_bad), std::memory_order_relaxed);
  }
  bool resuming() const { return resuming_.load(std::memory_order_acquire); }
  void resume(std::size_t n) noexcept;
  void check_open() const;
  void require_room(std::size_t n) const;

  /// Returns whether there is room; false after `patience`.
  template <class Waiting>
  bool wait_for_room(std::chrono::nanoseconds patience, Waiting&& waiting) {
    const std::int64_t start_ns = now_ns();
    std::unique_lock lock(room_mutex_);
    // The worker notifies without the lock, so a wait may miss it: none is long.
    while (room() == 0 || (interrupted() && resuming())) {  // or until that stretch is ended
      if (now_ns() - start_ns > patience.count()) return false;
      room_made_.wait_for(lock, std::chrono::milliseconds(2));
      check_open();
      waiting();
    }
    return true;
  }
  std::size_t room() const;
  /// How many samples were overwritten before `piece`, which comes next.
  std::int64_t overwritten(const CaptureRing::Piece& piece) const {
    return piece.begin - piece.skipped - start_ - n_done_.load(std::memory_order_acquire);
  }

  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();

  double rate_hz_;
  std::int64_t start_;
  bool waits_;
  bool raises_;
  CaptureRing ring_;
  Arrivals arrivals_;
  std::mutex writers_;  ///< held by `push` from a block's first sample to its last
  std::mutex room_mutex_;
  std::condition_variable room_made_;
  std::atomic<std::int64_t> n_bad_{0};
  std::atomic<std::int64_t> n_overflows_{0};
  std::atomic<std::int64_t> n_interruptions_{0};
  std::atomic<bool> resuming_{false};  ///< the next block is the first since an interruption
  std::atomic<std::int64_t> interrupted_at_{kOpen};
  std::atomic<std::int64_t> finish_at_{kOpen};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> closed_{false};
  std::atomic<std::int64_t> position_;
  std::atomic<std::int64_t> n_done_{0};  ///< samples that were written, and read or overwritten
  mutable std::mutex gaps_mutex_;        ///< held while `position_` passes over a gap; guards the next two
  std::int64_t n_dropped_ = 0;
  std::int64_t n_gaps_ = 0;
};

}  // namespace fastaudio::live
