#include "live/results.hpp"

#include <utility>

namespace fastaudio::live {

void Results::put(Result result) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    if (queue_.size() >= capacity_ && when_full_ == WhenFull::drop_oldest) {
      drop_oldest();
    }
    if (!result.provisional && result.output < owed_.size()) {
      result.n_lost += std::exchange(owed_[result.output], 0);
    }
    queue_.push_back(std::move(result));
  }
  changed_.notify_one();
}

/// What the dropped result knew of lost samples goes to the next of its output, which may not have come yet.
void Results::drop_oldest() {
  const Result dropped = std::move(queue_.front());
  queue_.pop_front();
  n_dropped_ += static_cast<std::int64_t>(dropped.n_rows);
  if (dropped.n_lost == 0) return;
  for (Result& next : queue_) {
    if (next.output != dropped.output || next.provisional) continue;
    next.n_lost += dropped.n_lost;
    return;
  }
  if (owed_.size() <= dropped.output) owed_.resize(dropped.output + 1);
  owed_[dropped.output] += dropped.n_lost;
}

std::optional<Result> Results::take(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return ending_ || !queue_.empty(); });
  if (!queue_.empty()) {
    Result result = std::move(queue_.front());
    queue_.pop_front();
    ++n_taken_;
    return result;
  }
  if (error_) std::rethrow_exception(error_);
  return std::nullopt;
}

void Results::end(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = true;
    error_ = std::move(error);
  }
  changed_.notify_all();
}

void Results::close() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    error_ = nullptr;
    queue_.clear();
  }
  changed_.notify_all();
}

std::string Results::reason() const {
  const std::lock_guard lock(mutex_);
  if (!error_) return "";
  try {
    std::rethrow_exception(error_);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "";
  }
}

bool Results::ended() const {
  const std::lock_guard lock(mutex_);
  return ending_ && queue_.empty() && !error_;
}

bool Results::full() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() >= capacity_;
}

std::optional<std::int64_t> Results::taken_when_full() const {
  const std::lock_guard lock(mutex_);
  if (queue_.size() < capacity_) return std::nullopt;
  return n_taken_;
}

std::size_t Results::size() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::int64_t Results::n_dropped() const {
  const std::lock_guard lock(mutex_);
  return n_dropped_;
}

}  // namespace fastaudio::live
