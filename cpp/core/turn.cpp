#include "core/turn.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "core/cores.hpp"
#include "core/interrupt.hpp"
#include "core/platform.hpp"

namespace fastaudio {

class TurnQueue {
 public:
  /// Returns this process's queue. It is never destroyed, since threads may wait in it when the process ends.
  static TurnQueue& get() {
    static std::atomic<TurnQueue*> current{nullptr};
    TurnQueue* queue = current.load();
    if (queue != nullptr && !queue->guard_.forked()) return *queue;
    // A fork's child starts anew: the threads that held turns, or the lock, stayed in the parent.
    auto* fresh = new TurnQueue;
    if (current.compare_exchange_strong(queue, fresh)) return *fresh;
    delete fresh;
    return *queue;
  }

  /// Throws what ends the work that waits.
  void take() {
    constexpr std::chrono::milliseconds kLook{20};
    std::unique_lock lock(mutex_);
    if (free_ > 0) {  // then nobody waits
      --free_;
      return;
    }
    Waiter mine;
    waiting_.push_back(&mine);
    while (!mine.called.wait_for(lock, kLook, [&] { return mine.has_turn; })) {
      lock.unlock();
      try {
        check_interrupt();
      } catch (...) {
        leave(mine);
        throw;
      }
      lock.lock();
    }
  }

  void give_back() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    next.has_turn = true;
    next.called.notify_one();  // under the lock, because the waiter's end destroys it
  }

 private:
  struct Waiter {
    std::condition_variable called;
    bool has_turn = false;
  };

  void leave(Waiter& mine) {
    {
      const std::lock_guard lock(mutex_);
      std::erase(waiting_, &mine);
    }
    if (mine.has_turn) give_back();  // nobody else can call it now
  }

  std::mutex mutex_;  ///< guards what follows, and the waiters
  unsigned free_ = runs_at_once();
  std::deque<Waiter*> waiting_;  ///< who waits longest comes first
  platform::ForkGuard guard_;
};

namespace {

thread_local bool at_once = false;

}  // namespace

Turn::Turn() : queue_(TurnsAtOnce::active() ? nullptr : &TurnQueue::get()) {
  if (queue_ != nullptr) queue_->take();
}

Turn::~Turn() {
  if (queue_ != nullptr) queue_->give_back();
}

TurnsAtOnce::TurnsAtOnce(bool on) : before_(at_once) { at_once = on; }

TurnsAtOnce::~TurnsAtOnce() { at_once = before_; }

bool TurnsAtOnce::active() { return at_once; }

}  // namespace fastaudio
