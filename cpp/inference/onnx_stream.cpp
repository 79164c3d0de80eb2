#include "inference/onnx_stream.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/budget.hpp"
#include "core/interrupt.hpp"
#include "core/platform.hpp"
#include "core/turn.hpp"
#include "inference/onnx_job.hpp"

namespace fastaudio {

namespace {

class SingleStream final : public Stream {
 public:
  SingleStream(std::shared_ptr<const OnnxModel> node, OnnxModel::Plan plan)
      : node_(std::move(node)), plan_(std::move(plan)), job_(*node_, plan_) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    while (n_rows > 0) {
      check_interrupt();
      const std::size_t n = std::min(n_rows, plan_.layout.batch);
      job_.fill(rows, n);
      job_.run();
      job_.write(sink);
      rows += n * plan_.layout.row_size();
      n_rows -= n;
    }
  }

  std::shared_ptr<const OnnxModel> node_;
  OnnxModel::Plan plan_;
  OnnxJob job_;
};

/// Keeps the rows of a clip, and runs once at its end.
class ClipStream final : public Stream {
 public:
  ClipStream(std::shared_ptr<const OnnxModel> node, OnnxModel::Plan plan, StreamSpec input)
      : node_(std::move(node)),
        plan_(std::move(plan)),
        input_(std::move(input)),
        row_size_(input_.row_size()) {
    rows_.reserve(most() * row_size_);  // counted and taken here; the system hands it out as it fills
  }

 private:
  std::size_t most() const { return static_cast<std::size_t>(node_->options().clip_rows); }

  void do_push(const float* rows, std::size_t n_rows, Sink& /*sink*/) override {
    if (n_rows > most() - rows_.size() / row_size_) {
      throw ModelError(node_->session().subject() + ": expected at most " + std::to_string(most()) +
                       " rows in a clip, got more; cut it, or raise clip_rows");
    }
    rows_.insert(rows_.end(), rows, rows + n_rows * row_size_);
  }

  void do_flush(Sink& sink) override {
    if (rows_.empty()) return;
    node_->fit_clip(plan_, input_, rows_.size() / row_size_);
    OnnxJob job(*node_, plan_);
    job.fill(rows_.data(), 1);
    job.run();
    job.write(sink);
  }

  std::shared_ptr<const OnnxModel> node_;
  OnnxModel::Plan plan_;
  StreamSpec input_;
  std::size_t row_size_;
  Buffer<float> rows_;
};

/// Holds a ring of jobs: the caller fills them in order, any free worker runs them, and results are written
/// in order.
class ThreadedStream final : public Stream {
 public:
  ThreadedStream(std::shared_ptr<const OnnxModel> node, OnnxModel::Plan plan)
      : node_(std::move(node)), plan_(std::move(plan)) {
    const auto n_threads = static_cast<std::size_t>(node_->options().threads);
    slots_.reserve(n_threads + 1);  // one more, so that the next rows are ready when a worker is
    for (std::size_t i = 0; i < n_threads + 1; ++i) slots_.emplace_back(*node_, plan_);
    workers_->reserve(n_threads);  // so that emplace_back can't fail after it has started a thread
    try {
      for (std::size_t i = 0; i < n_threads; ++i) workers_->emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      const std::size_t started = workers_->size();
      close();
      throw ModelError(node_->session().subject() + ": expected " + std::to_string(n_threads) +
                       " threads, got " + std::to_string(started) + "; ask for fewer");
    }
  }

  ~ThreadedStream() override {
    if (guard_
            .forked()) {  // the workers stayed in the parent and may hold the lock; there is nothing to join
      (void)sync_.release();
      (void)workers_.release();
      return;
    }
    close();
  }

 private:
  struct Sync {
    std::mutex mutex;  ///< guards `done` of the slots, closing_, and writes of filled_ and taken_
    std::condition_variable filled;
    std::condition_variable done;
    Cancel cancel;  ///< ends the workers' runs
  };

  struct Slot {
    Slot(const OnnxModel& node, const OnnxModel::Plan& plan) : job(node, plan) {}
    OnnxJob job;
    bool at_once = false;  ///< whether the caller's turns come at once; then so does the worker's
    bool done = false;
    std::exception_ptr error;
  };

  void close() {
    {
      const std::lock_guard lock(sync_->mutex);
      closing_ = true;
    }
    sync_->filled.notify_all();
    sync_->cancel.cancel();
    for (std::thread& worker : *workers_) worker.join();
  }

  void do_settle(Sink& sink) override {
    require_workers();
    while (written_ < filled_) write_oldest(sink);
  }

  void require_workers() const {
    if (!guard_.forked()) return;
    throw StateError(
        "stream: expected a stream opened in this process, got one from before a fork; open a new one");
  }

  Slot& slot(std::uint64_t count) { return slots_[count % slots_.size()]; }

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    require_workers();
    while (n_rows > 0) {
      if (filled_ - written_ == slots_.size()) write_oldest(sink);
      const std::size_t n = std::min(n_rows, plan_.layout.batch);
      Slot& next = slot(filled_);
      next.job.fill(rows, n);
      next.at_once = TurnsAtOnce::active();
      {
        const std::lock_guard lock(sync_->mutex);
        next.done = false;
        ++filled_;
      }
      sync_->filled.notify_one();
      rows += n * plan_.layout.row_size();
      n_rows -= n;
    }
  }

  void do_flush(Sink& sink) override { do_settle(sink); }

  void write_oldest(Sink& sink) {
    Slot& oldest = slot(written_);
    {
      constexpr std::chrono::milliseconds kLook{20};
      std::unique_lock lock(sync_->mutex);
      while (!sync_->done.wait_for(lock, kLook, [&] { return oldest.done; })) {
        lock.unlock();
        check_interrupt();
        lock.lock();
      }
    }
    ++written_;
    if (oldest.error) std::rethrow_exception(std::exchange(oldest.error, nullptr));
    oldest.job.write(sink);
  }

  void work() {
    const Interruptible until_closed({.cancel = &sync_->cancel});
    for (;;) {
      Slot* mine = nullptr;
      {
        std::unique_lock lock(sync_->mutex);
        sync_->filled.wait(lock, [&] { return closing_ || taken_ < filled_; });
        if (closing_) return;
        mine = &slot(taken_++);
      }
      try {
        const TurnsAtOnce as_the_caller(mine->at_once);
        mine->job.run();
      } catch (...) {
        mine->error = std::current_exception();
      }
      {
        const std::lock_guard lock(sync_->mutex);
        mine->done = true;
      }
      sync_->done.notify_one();
    }
  }

  std::shared_ptr<const OnnxModel> node_;
  OnnxModel::Plan plan_;
  std::vector<Slot> slots_;
  std::unique_ptr<Sync> sync_ = std::make_unique<Sync>();
  bool closing_ = false;
  std::uint64_t filled_ = 0;   ///< jobs handed to the workers; only the caller writes it
  std::uint64_t taken_ = 0;    ///< jobs that workers took
  std::uint64_t written_ = 0;  ///< jobs whose results went out; only the caller uses it
  platform::ForkGuard guard_;
  std::unique_ptr<std::vector<std::thread>> workers_ = std::make_unique<std::vector<std::thread>>();
};

}  // namespace

std::unique_ptr<Stream> open_onnx_stream(std::shared_ptr<const OnnxModel> node, OnnxModel::Plan plan,
                                         const StreamSpec& input) {
  if (node->options().clip_rows > 0) {
    return std::make_unique<ClipStream>(std::move(node), std::move(plan), input);
  }
  const bool in_order = !node->states().empty();           // a run needs the state that the last one left
  const bool only_counted = Budget::current() != nullptr;  // threads are its reader's choice, not the card's
  if (node->options().threads == 1 || in_order || only_counted) {
    return std::make_unique<SingleStream>(std::move(node), std::move(plan));
  }
  return std::make_unique<ThreadedStream>(std::move(node), std::move(plan));
}

}  // namespace fastaudio
