/// Opens ONNX Runtime at run time; only these sources know it. Every failure is a ModelError.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "inference/onnx_abi.hpp"

namespace fastaudio::onnx {

/// A name was asked for that is not among the known ones.
struct UnknownName : ModelError {
  UnknownName(const std::string& expected, std::vector<std::string> among, std::string name,
              const char* remedy = "");
  std::vector<std::string> known;
  std::string got;
};

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

/// Holds the library and its only environment in this process; telemetry is off.
class Runtime {
 public:
  /// Says where the library lies; the environment variable FASTAUDIO_ONNXRUNTIME comes first.
  /// This has no effect once the library is open.
  static void set_library(const std::string& path);

  /// Opens the library on the first call, proves it by a self-test, and keeps it.
  static const std::shared_ptr<Runtime>& get();

  /// Waits for runs in other threads and refuses new ones, because the library's globals end with the
  /// process.
  static void close();

  /// Lives as long as a run; after `close` it throws ModelError in the thread that closed, EndOfProcess in
  /// others.
  class RunInProgress {
   public:
    RunInProgress();
    ~RunInProgress();
    RunInProgress(const RunInProgress&) = delete;
    RunInProgress& operator=(const RunInProgress&) = delete;
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
             const char* expected = "ONNX Runtime to succeed") const;

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
