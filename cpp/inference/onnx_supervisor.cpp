#include "inference/onnx_supervisor.hpp"

#include <cfenv>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace fastaudio::onnx {

Handle<OrtStatus> supervise(Interruptible& scope, const std::function<Handle<OrtStatus>()>& work,
                            const std::function<void()>& end) {
  constexpr std::chrono::milliseconds kLook{20};
  std::fenv_t environment;  // the thread computes as the caller would
  std::fegetenv(&environment);
  std::mutex mutex;  // guards `done`
  std::condition_variable changed;
  bool done = false;
  Handle<OrtStatus> status;
  std::thread helper;
  try {
    helper = std::thread([&] {
      std::fesetenv(&environment);
      Handle<OrtStatus> result = work();
      const std::lock_guard lock(mutex);
      status = std::move(result);
      done = true;
      changed.notify_one();  // under the lock, because the waiter's end destroys it
    });
  } catch (const std::system_error&) {
    return work();
  }
  std::exception_ptr reason;
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, kLook, [&] { return done; })) {
    if (reason) continue;
    lock.unlock();
    try {
      scope.check();
    } catch (...) {
      reason = std::current_exception();
      end();
    }
    lock.lock();
  }
  lock.unlock();
  helper.join();
  if (reason) std::rethrow_exception(reason);
  return status;
}

}  // namespace fastaudio::onnx
