/// Lets long work be ended from outside: by a signal, by another thread, or by a time limit.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <list>
#include <mutex>

#include "core/error.hpp"

namespace fastaudio {

/// Work was ended because somebody asked for it.
struct Cancelled : Error {
  using Error::Error;
};

/// Work took longer than it was allowed to.
struct TimedOut : Error {
  using Error::Error;
};

/// Ends work in other threads, once and for all. Thread-safe.
class Cancel {
 public:
  Cancel() = default;
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;

  /// Asks all work under it to end, and calls those who watch it, in this thread.
  void cancel();
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }

  /// Calls `end` when `cancel` is cancelled, or at once if it is already: for what can't look by itself.
  /// `end` must be quick, may not throw, and may not make or destroy a Watch. The destructor waits for a call
  /// in progress. Does nothing if `cancel` is null.
  class Watch {
   public:
    Watch(Cancel* cancel, std::function<void()> end);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Cancel* cancel_;
    std::list<std::function<void()>>::iterator place_;
  };

 private:
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;  ///< guards the next, and is held while they are called
  std::list<std::function<void()>> watches_;
};

/// In its scope the thread's long work ends when it is asked to: see `check_interrupt`. Scopes may lie within
/// one another; what ends an outer one ends the inner ones.
class Interruptible {
 public:
  using Clock = std::chrono::steady_clock;
  using Poll = void (*)();

  struct Limits {
    Cancel* cancel = nullptr;  ///< must outlive the scope
    double timeout_s = std::numeric_limits<double>::infinity();
    Poll poll = nullptr;  ///< called in this thread every `kLook` or later; it throws to end the work
  };
  static constexpr std::chrono::milliseconds kLook{50};

  explicit Interruptible(const Limits& limits);

  /// For work in this thread that belongs to the work in `parent`'s thread, which must wait for it, and may
  /// be null. It ends when that does; only `parent` polls.
  explicit Interruptible(const Interruptible* parent);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  /// The thread's innermost scope, or null.
  static Interruptible* current() noexcept;

  /// Ends all work in this scope, in other threads too, with Cancelled.
  void end() noexcept { ended_.store(true, std::memory_order_release); }

  /// Whether some work ought to end by now; unlike `check` it neither polls nor throws.
  bool asked() const noexcept;

  /// As `check_interrupt`.
  void check();

  /// The nearest object that may cancel this scope, or null: for `Cancel::Watch`. Others may cancel as well,
  /// so who waits calls `check` too.
  Cancel* cancel() const noexcept;

  /// Whether its end may come without a call of its Cancel, so that who waits has to call `check` meanwhile.
  bool must_look() const noexcept;

  /// When the time limit ends; the largest time without one.
  Clock::time_point deadline() const noexcept { return deadline_; }

 private:
  [[noreturn]] void throw_timed_out() const;

  const Interruptible* outer_;  ///< within which this lies, or null
  Interruptible* before_;       ///< the thread's scope before this
  Limits limits_;
  double timeout_s_ = std::numeric_limits<double>::infinity();  ///< the one that `deadline_` came from
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point next_look_{};
  std::atomic<bool> ended_{false};
};

/// Long loops call this about once per block of work. In a scope of `Interruptible` it throws Cancelled,
/// TimedOut, or what the scope's poll throws, once the work has to end; elsewhere it does nothing. It reads a
/// clock, so it costs some 30 ns.
void check_interrupt();

}  // namespace fastaudio
