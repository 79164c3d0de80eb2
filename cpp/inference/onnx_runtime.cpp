#include "inference/onnx_runtime.hpp"

#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "core/interrupt.hpp"
#include "core/options.hpp"
#include "core/platform.hpp"
#include "inference/onnx_session.hpp"

namespace fastaudio::onnx {

/// The runs of this process that haven't returned.
class Runs {
 public:
  /// It is never destroyed, since runs may go on while the process ends. A fork's child starts anew: the
  /// runs, and who may hold the lock, stayed in the parent.
  static Runs& get() {
    static std::atomic<Runs*> current{nullptr};
    Runs* runs = current.load();
    if (runs != nullptr && !runs->guard_.forked()) return *runs;
    auto* fresh = new Runs;
    if (current.compare_exchange_strong(runs, fresh)) return *fresh;
    delete fresh;
    return *runs;
  }

  void add(Runtime::RunInProgress& run) {
    const std::lock_guard lock(mutex_);
    run.next_ = first_;
    if (first_ != nullptr) first_->before_ = &run;
    first_ = &run;
  }

  void remove(Runtime::RunInProgress& run) {
    const std::lock_guard lock(mutex_);
    (run.before_ != nullptr ? run.before_->next_ : first_) = run.next_;
    if (run.next_ != nullptr) run.next_->before_ = run.before_;
  }

  void end_all() {
    const std::lock_guard lock(mutex_);
    for (auto* run = first_; run != nullptr; run = run->next_) run->end();
  }

  bool empty() {
    const std::lock_guard lock(mutex_);
    return first_ == nullptr;
  }

 private:
  std::mutex mutex_;  ///< guards what follows, and the links of the runs
  Runtime::RunInProgress* first_ = nullptr;
  platform::ForkGuard guard_;
};

namespace {

std::atomic<bool> closed{false};
std::thread::id closing_thread;  // set before `closed`

std::mutex library_mutex;  ///< guards the next
std::string library_path;

/// The library reads this when it starts. A program that hears a microphone must never phone home.
void refuse_telemetry() {
  constexpr const char* kVariable = "ORT_DISABLE_TELEMETRY";
  if (std::getenv(kVariable) == nullptr) platform::set_environment(kVariable, "1");
}

/// This ONNX file of 62 bytes holds a model of one node, y = -x on two floats.
constexpr char kNegate[] =
    "\x08\x07\x12\x00:2\n\x0b\n\x01x\x12\x01y\"\x03Neg\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01"
    "\x12\x04\n\x02\x08\x02"
    "b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x02"
    "B\x04\n\x00\x10\r";

/// This one of 89 bytes adds to two floats those of the file w.
constexpr char kAdd[] =
    "\x08\x08:O\x0a\x0e\x0a\x01x\x0a\x01w\x12\x01y\"\x03"
    "Add\x12\x01g*\x18\x08\x02\x10\x01"
    "B\x01wj\x0d\x0a\x08location\x12\x01wp\x01Z\x0f\x0a\x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02"
    "b\x0f\x0a\x01y\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02"
    "B\x04\x0a\x00\x10\x0d";

[[noreturn]] void fail(const std::string& path, const std::string& expected, const std::string& got) {
  throw ModelError("ONNX Runtime: expected " + expected + ", got " + got + " from " + path +
                   "; pip install 'onnxruntime>=1.25'");
}

/// The first version 1.x that keeps a network's weights to the network's folder, and refuses addresses in
/// memory. The walk over the file doesn't depend on it.
constexpr int kLowest = 25;

/// What goes wrong comes back as a status as well, and becomes an error; stderr is the caller's.
void drop_message(void*, int, const char*, const char*, const char*, const char*) {}

/// Returns a message of ONNX Runtime as one line without a terminal's escape sequences, cut to a few lines.
std::string one_line(const char* message) {
  constexpr std::size_t kLongest = 400;
  std::string text;
  for (const char* c = message; *c != '\0'; ++c) {
    if (*c == '\x1b') {
      while (*c != '\0' && std::isalpha(static_cast<unsigned char>(*c)) == 0) ++c;
      if (*c == '\0') break;
    } else if (static_cast<unsigned char>(*c) > ' ') {
      text += *c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

/// A wrong slot would call a wrong function, so this tries an error and a whole run before anything depends
/// on them.
void self_test(const Runtime& runtime) {
  const Api& api = runtime.api();
  const Handle<OrtStatus> status(api.create_status(kFail, "round trip"), api.release_status.call);
  const std::string message = api.get_error_message(status.get());
  if (api.get_error_code(status.get()) != kFail || message != "round trip") {
    fail(runtime.path(), "its error message back", "'" + message + "'");
  }
  const auto network = std::make_shared<const Network>(
      Network{"self-test", std::string(kNegate, sizeof kNegate - 1), {}, {}, false, {}});
  const Session session(network);
  float in[2] = {1.5f, -2.0f};
  float out[2] = {};
  const auto x = session.tensor(in, kFloat, {2});
  const auto y = session.tensor(out, kFloat, {2});
  std::vector<OrtValue*> outputs{y.get()};
  session.run({"x"}, {x.get()}, {"y"}, outputs, 2);
  if (out[0] != -1.5f || out[1] != 2.0f)
    fail(runtime.path(), "-1.5 from the self-test", std::to_string(out[0]));
  if (session.values(y.get()) != out)
    fail(runtime.path(), "where the self-test's values lie", "another place");
  const float w[2] = {10.0f, 20.0f};
  const Beside beside{{"w", std::string(reinterpret_cast<const char*>(w), sizeof w)}};
  const Session added(std::make_shared<const Network>(
      Network{"self-test", std::string(kAdd, sizeof kAdd - 1), beside, {}, false, {}}));
  added.run({"x"}, {x.get()}, {"y"}, outputs, 2);
  if (out[0] != 11.5f || out[1] != 18.0f) {
    fail(runtime.path(), "11.5 from the self-test of weights in a file", std::to_string(out[0]));
  }
  Cancel cancel;
  cancel.cancel();
  const Interruptible ended({.cancel = &cancel});
  const auto require_end = [&](const char* expected, const auto& call) {
    try {
      call();
    } catch (const Cancelled&) {
      return;
    }
    fail(runtime.path(), expected, "one that went on");
  };
  require_end("a run that ends when asked", [&] { session.run({"x"}, {x.get()}, {"y"}, outputs, 2); });
  require_end("a load that ends when asked", [&] { Session(std::shared_ptr<const Network>(network)); });
}

}  // namespace

void Runtime::set_library(const std::string& path) {
  refuse_telemetry();
  const std::lock_guard lock(library_mutex);
  library_path = path;
}

void Runtime::close() {
  constexpr std::chrono::seconds kLongest{5};
  closing_thread = std::this_thread::get_id();
  closed = true;
  Runs& runs = Runs::get();
  runs.end_all();
  const auto latest = std::chrono::steady_clock::now() + kLongest;
  while (!runs.empty() && std::chrono::steady_clock::now() < latest) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Runtime::RunInProgress::RunInProgress(const Runtime& runtime) : api_(runtime.api()), runs_(Runs::get()) {
  OrtRunOptions* options = nullptr;
  runtime.check(api_.create_run_options(&options), "ONNX Runtime");
  options_ = {options, api_.release_run_options.call};
  runs_.add(*this);
  try {
    check_open();
  } catch (...) {
    runs_.remove(*this);
    throw;
  }
}

Runtime::RunInProgress::~RunInProgress() { runs_.remove(*this); }

void Runtime::RunInProgress::end() noexcept {
  const Handle<OrtStatus> unlikely(api_.run_options_set_terminate(options_.get()), api_.release_status.call);
  ended_.store(true, std::memory_order_release);
}

void Runtime::check_open() {
  if (!closed) return;
  const char* text = "ONNX Runtime: expected no run while the process ends, got one";
  if (std::this_thread::get_id() == closing_thread) throw ModelError(text);
  throw EndOfProcess(text);
}

const std::shared_ptr<Runtime>& Runtime::get() {
  // It is never destroyed, because the library's globals would be gone before.
  static auto& runtime = *new std::shared_ptr<Runtime>;
  static bool tested = false;
  static std::recursive_mutex mutex;  // the self-test below asks for the runtime itself
  const std::lock_guard lock(mutex);
  if (!runtime) runtime.reset(new Runtime(open()));
  if (!tested) {
    tested = true;
    try {
      self_test(*runtime);
    } catch (...) {
      tested = false;
      runtime.reset();
      throw;
    }
  }
  return runtime;
}

Runtime::Library Runtime::open() {
  std::string path;
  {
    const std::lock_guard lock(library_mutex);
    const char* chosen = std::getenv("FASTAUDIO_ONNXRUNTIME");
    path = chosen != nullptr && *chosen != '\0' ? chosen : library_path;
  }
  if (path.empty()) {
    throw ModelError(
        "ONNX Runtime: expected its library in the installed onnxruntime package, got none; "
        "pip install 'onnxruntime>=1.25' or set FASTAUDIO_ONNXRUNTIME to the library's path");
  }
  refuse_telemetry();
  std::string error;
  void* library = platform::open_library(path, error);
  if (library == nullptr) fail(path, "a library that opens", error);
  auto* get_base = reinterpret_cast<const ApiBase* (*)()>(platform::find_symbol(library, "OrtGetApiBase"));
  if (get_base == nullptr) fail(path, "the symbol OrtGetApiBase", "none");
  const ApiBase* base = get_base();
  const std::string version = base->get_version_string();
  int major = 0;
  int minor = 0;
  const int fields = std::sscanf(version.c_str(), "%d.%d", &major, &minor);
  if (fields != 2 || major != 1 || minor < kLowest)
    fail(path, "version 1." + std::to_string(kLowest) + " or later", version);
  void* const* table = base->get_api(kApiVersion);
  if (table == nullptr) fail(path, "API version " + std::to_string(kApiVersion), "none");
  return {path, version, table};
}

Runtime::Runtime(const Library& library)
    : path_(library.path), version_(library.version), api_(library.table) {
  OrtEnv* environment = nullptr;
  check(api_.create_env_with_custom_logger(drop_message, nullptr, kFatalOnly, "fastaudio", &environment),
        "ONNX Runtime");
  environment_ = {environment, api_.release_env.call};
  check(api_.disable_telemetry_events(environment), "ONNX Runtime");
  OrtMemoryInfo* memory = nullptr;
  check(api_.create_cpu_memory_info(kArenaAllocator, kDefaultMemory, &memory), "ONNX Runtime");
  memory_ = {memory, api_.release_memory_info.call};
}

std::vector<std::string> Runtime::providers() const {
  char** names = nullptr;
  int n = 0;
  check(api_.get_available_providers(&names, &n), "ONNX Runtime");
  std::vector<std::string> providers(names, names + n);
  check(api_.release_available_providers(names, n), "ONNX Runtime");
  return providers;
}

void Runtime::check(Handle<OrtStatus> status, const std::string& subject, const char* expected) const {
  if (status.get() == nullptr) return;
  throw ModelError(subject + ": expected " + expected +
                   ", got: " + one_line(api_.get_error_message(status.get())));
}

}  // namespace fastaudio::onnx
