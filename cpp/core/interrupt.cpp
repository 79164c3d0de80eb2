#include "core/interrupt.hpp"

#include <algorithm>
#include <utility>

#include "core/options.hpp"

namespace fastaudio {

namespace {

thread_local Interruptible* innermost = nullptr;

/// The time after so many seconds; the largest for infinity, and for what a clock can't count.
Interruptible::Clock::time_point after(double seconds) {
  constexpr double kLongest_s = 1e9;
  if (!(seconds < kLongest_s)) return Interruptible::Clock::time_point::max();
  const std::chrono::duration<double> wait(std::max(seconds, 0.0));
  return Interruptible::Clock::now() + std::chrono::duration_cast<Interruptible::Clock::duration>(wait);
}

}  // namespace

void Cancel::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_.store(true, std::memory_order_release);
  for (const auto& end : watches_) end();
}

Cancel::Watch::Watch(Cancel* cancel, std::function<void()> end) : cancel_(cancel) {
  if (cancel_ == nullptr) return;
  const std::lock_guard lock(cancel_->mutex_);
  place_ = cancel_->watches_.insert(cancel_->watches_.end(), std::move(end));
  if (cancel_->cancelled()) (*place_)();
}

Cancel::Watch::~Watch() {
  if (cancel_ == nullptr) return;
  const std::lock_guard lock(cancel_->mutex_);
  cancel_->watches_.erase(place_);
}

Interruptible::Interruptible(const Limits& limits)
    : outer_(innermost), before_(innermost), limits_(limits), timeout_s_(limits.timeout_s) {
  if (limits.timeout_s < std::numeric_limits<double>::infinity()) deadline_ = after(limits.timeout_s);
  if (outer_ != nullptr && outer_->deadline_ < deadline_) {
    deadline_ = outer_->deadline_;
    timeout_s_ = outer_->timeout_s_;
  }
  innermost = this;
}

Interruptible::Interruptible(const Interruptible* parent) : outer_(parent), before_(innermost) {
  if (parent != nullptr) {
    deadline_ = parent->deadline_;
    timeout_s_ = parent->timeout_s_;
  }
  innermost = this;
}

Interruptible::~Interruptible() { innermost = before_; }

Interruptible* Interruptible::current() noexcept { return innermost; }

Cancel* Interruptible::cancel() const noexcept {
  for (const Interruptible* scope = this; scope != nullptr; scope = scope->outer_) {
    if (scope->limits_.cancel != nullptr) return scope->limits_.cancel;
  }
  return nullptr;
}

bool Interruptible::must_look() const noexcept {
  if (limits_.poll != nullptr || deadline_ != Clock::time_point::max()) return true;
  int n_cancels = 0;  // a Watch is called by one only
  for (const Interruptible* scope = this; scope != nullptr; scope = scope->outer_) {
    if (scope->outer_ != scope->before_) return true;  // it belongs to another thread's
    n_cancels += scope->limits_.cancel != nullptr ? 1 : 0;
  }
  return n_cancels > 1;
}

bool Interruptible::asked() const noexcept {
  for (const Interruptible* scope = this; scope != nullptr; scope = scope->outer_) {
    if (scope->ended_.load(std::memory_order_acquire)) return true;
    if (scope->limits_.cancel != nullptr && scope->limits_.cancel->cancelled()) return true;
  }
  return deadline_ != Clock::time_point::max() && Clock::now() >= deadline_;
}

void Interruptible::check() {
  for (const Interruptible* scope = this; scope != nullptr; scope = scope->outer_) {
    const bool cancelled = scope->limits_.cancel != nullptr && scope->limits_.cancel->cancelled();
    if (cancelled || scope->ended_.load(std::memory_order_acquire)) {
      end();
      throw Cancelled("call: expected to go on to its end, got cancelled");
    }
  }
  const bool limited = deadline_ != Clock::time_point::max();
  if (!limited && limits_.poll == nullptr) return;
  const auto now = Clock::now();
  if (now >= deadline_) {
    end();
    throw_timed_out();
  }
  if (limits_.poll == nullptr || now < next_look_) return;
  const bool first = next_look_ == Clock::time_point{};
  next_look_ = now + kLook;
  if (first) return;  // short work never polls
  try {
    limits_.poll();
  } catch (...) {
    end();
    throw;
  }
}

void Interruptible::throw_timed_out() const {
  throw TimedOut("call: expected an end within " + format(timeout_s_) +
                 " s, got none; allow more by timeout_s=");
}

void check_interrupt() {
  if (innermost != nullptr) innermost->check();
}

}  // namespace fastaudio
