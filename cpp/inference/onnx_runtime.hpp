/// Opens ONNX Runtime at run time; only these sources know it. Every failure is a ModelError.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "inference/onnx_abi.hpp"

namespace fastaudio::onnx {

/// Owns one object of the C interface.
template <class T>
class Handle {
 public:
  using Release = void(T*);
  Handle() = default;
  Handle(T* object, Release* release) : object_(object, release) {}
  T* get() const { return object_.get(); }
  /// Gives the object up without releasing it.
  void leak() { (void)object_.release(); }

 private:
  std::unique_ptr<T, Release*> object_{nullptr, nullptr};
};

class Runs;

/// Holds the library and its only environment in this process; telemetry is off.
class Runtime {
 public:
  /// Says where the library lies; the environment variable FASTAUDIO_ONNXRUNTIME comes first.
  /// This has no effect once the library is open.
  static void set_library(const std::string& path);

  /// Opens the library on the first call, proves it by a self-test, and keeps it.
  static const std::shared_ptr<Runtime>& get();

  /// Ends runs in other threads and refuses new ones, because the library's globals end with the process.
  /// Waits until they have ended, 5 s at most: an operator isn't ended in its middle.
  static void close();

  /// Throws as a run would if the library is closed.
  static void check_open();

  /// Lives as long as a run, and can end it. After `close` it throws ModelError in the thread that closed,
  /// EndOfProcess in others.
  class RunInProgress {
   public:
    explicit RunInProgress(const Runtime& runtime);
    ~RunInProgress();
    RunInProgress(const RunInProgress&) = delete;
    RunInProgress& operator=(const RunInProgress&) = delete;

    const OrtRunOptions* options() const { return options_.get(); }

    /// Makes the run return an error before its next operator, or at once if it hasn't begun. Thread-safe.
    void end() noexcept;
    bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }

   private:
    friend class Runs;

    const Api& api_;
    Handle<OrtRunOptions> options_;
    std::atomic<bool> ended_{false};
    Runs& runs_;
    RunInProgress* next_ = nullptr;  ///< in the list of runs, which `runs_` guards
    RunInProgress* before_ = nullptr;
  };

  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const Api& api() const { return api_; }
  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }
  const OrtEnv* environment() const { return environment_.get(); }
  const OrtMemoryInfo* memory() const { return memory_.get(); }
  std::vector<std::string> providers() const;

  /// Throws ModelError "<subject>: expected <expected>, got: <message>" if `status` is an error.
  void check(OrtStatus* status, const std::string& subject,
             const char* expected = "ONNX Runtime to succeed") const {
    check(Handle<OrtStatus>(status, api_.release_status.call), subject, expected);
  }
  void check(Handle<OrtStatus> status, const std::string& subject, const char* expected) const;

 private:
  struct Library {
    std::string path;
    std::string version;
    void* const* table;
  };
  explicit Runtime(const Library& library);
  static Library open();

  std::string path_;
  std::string version_;
  Api api_;
  Handle<OrtEnv> environment_;
  Handle<OrtMemoryInfo> memory_;
};

}  // namespace fastaudio::onnx
