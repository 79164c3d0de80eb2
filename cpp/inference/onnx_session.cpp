#include "inference/onnx_session.hpp"

#include <algorithm>
#include <cfenv>
#include <chrono>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "core/options.hpp"
#include "core/platform.hpp"
#include "core/turn.hpp"
#include "inference/onnx_edge.hpp"
#include "inference/onnx_names.hpp"
#include "inference/onnx_supervisor.hpp"

namespace fastaudio::onnx {

namespace {

/// ONNX Runtime makes its calling thread flush denormals; this restores the caller's setting.
class KeepFloatEnvironment {
 public:
  KeepFloatEnvironment() { std::fegetenv(&saved_); }
  ~KeepFloatEnvironment() { std::fesetenv(&saved_); }
  KeepFloatEnvironment(const KeepFloatEnvironment&) = delete;
  KeepFloatEnvironment& operator=(const KeepFloatEnvironment&) = delete;

 private:
  std::fenv_t saved_;
};

}  // namespace

std::string shape_text(const Shape& shape) {
  std::string text;
  for (const std::int64_t n : shape) text += (text.empty() ? "" : ", ") + (n < 0 ? "?" : std::to_string(n));
  return "[" + text + "]";
}

std::size_t n_values(const Shape& shape) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::size_t n = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0 || static_cast<std::uint64_t>(extent) > kMost / n) return kMost;
    n *= static_cast<std::size_t>(extent);
  }
  return n;
}

void require_size(const std::string& subject, const std::string& what, const Shape& shape) {
  if (n_values(shape) <= kLargestTensor) return;
  throw ModelError(subject + ": expected at most 2**28 values (1 GiB) in a run's " + what + ", got shape " +
                   shape_text(shape) + "; use a smaller batch or shorter rows");
}

std::string type_text(int element_type) {
  static constexpr const char* kNames[] = {
      "no tensor", "float32", "uint8",   "int8",   "uint16", "int16",     "int32",      "int64",   "str",
      "bool",      "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"};
  const auto i = static_cast<std::size_t>(element_type);
  return i < std::size(kNames) ? kNames[i] : "an 8-bit or 4-bit type";
}

const TensorInfo* find(const std::vector<TensorInfo>& infos, const std::string& name) {
  for (const TensorInfo& info : infos) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

std::vector<std::string> names_of(const std::vector<TensorInfo>& infos) {
  std::vector<std::string> names;
  for (const TensorInfo& info : infos) names.push_back(info.name);
  return names;
}

Session::Session(std::shared_ptr<const Network> network, const std::vector<std::string>& outputs)
    : runtime_(Runtime::get()),
      network_(std::move(network)),
      session_(create()),
      generation_(platform::fork_generation()),
      inputs_(describe(true)),
      outputs_(describe(false)) {
  add_outputs(outputs);
}

void Session::add_outputs(const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::unordered_set<std::string_view> given;  // sets, since strangers' networks may have a million of them
  for (const TensorInfo& output : outputs_) given.insert(output.name);
  const std::unordered_set<std::string_view> tensors(network_->tensors.begin(), network_->tensors.end());
  for (const std::string& name : names) {
    check_interrupt();
    if (given.contains(name)) continue;
    if (!tensors.contains(name)) {
      auto known = names_of(outputs_);
      std::string expected = subject() + ": expected outputs among " + short_text(known);
      const std::size_t n_outputs = known.size();
      for (const std::string& tensor : network_->tensors) {
        if (!given.contains(tensor)) known.push_back(tensor);
      }
      if (known.size() > n_outputs) expected += " or inner tensors";
      throw UnknownTensor(expected, std::move(known), name);
    }
    given.insert(name);
    added_.push_back(name);
  }
  if (added_.empty()) return;
  session_ = create();
  outputs_ = describe(false);
}

void Session::add_files(OrtSessionOptions* options) const {
  std::vector<std::basic_string<PathChar>> names;
  std::vector<const PathChar*> pointers;
  std::vector<char*> contents;
  std::vector<std::size_t> sizes;
  for (const auto& [name, content] : network_->beside) {
    names.push_back(std::filesystem::path(std::u8string(name.begin(), name.end())).native());
    contents.push_back(const_cast<char*>(content.data()));  // it is only read
    sizes.push_back(content.size());
  }
  if (names.empty()) return;
  for (const auto& name : names) pointers.push_back(name.c_str());
  runtime_->check(runtime_->api().add_external_initializers(options, pointers.data(), contents.data(),
                                                            sizes.data(), names.size()),
                  subject());
}

Handle<OrtSession> Session::create() const {
  Runtime::check_open();
  const Api& api = runtime_->api();
  const auto check = [&](OrtStatus* status) { runtime_->check(status, subject()); };
  OrtSessionOptions* raw = nullptr;
  check(api.create_session_options(&raw));
  const Handle<OrtSessionOptions> owned(raw, api.release_session_options.call);
  check(api.set_intra_op_num_threads(raw, 1));
  check(api.set_inter_op_num_threads(raw, 1));
  // One block for all that a run writes would lie beside the smaller ones that the arena has by then.
  check(api.disable_mem_pattern(raw));
  // Workers that spin would burn a core between patches that are seconds apart.
  check(api.add_session_config_entry(raw, "session.intra_op.allow_spinning", "0"));
  check(api.add_session_config_entry(raw, "session.inter_op.allow_spinning", "0"));
  check(api.add_session_config_entry(raw, "session.set_denormal_as_zero", "1"));
  check(api.add_session_config_entry(raw, "session.load_model_format", "ONNX"));  // what the walk read it as
  // Larger tensors are computed in each run instead, which can be ended; folding can't.
  check(
      api.add_session_config_entry(raw, "optimization.constant_folding_max_output_size_in_bytes", "1048576"));
  append_providers(*runtime_, subject(), network_->providers, raw);
  add_files(raw);
  std::string with_outputs;
  if (!added_.empty()) with_outputs = network_->file + added_outputs(added_);
  const std::string& file = added_.empty() ? network_->file : with_outputs;
  OrtSession* session = nullptr;
  const auto end = [&] {
    const Handle<OrtStatus> unlikely(api.set_load_cancellation_flag(raw, true), api.release_status.call);
  };
  const auto load = [&]() -> Handle<OrtStatus> {
    const KeepFloatEnvironment keep;
    return {api.create_session_from_array(runtime_->environment(), file.data(), file.size(), raw, &session),
            api.release_status.call};
  };
  Interruptible* scope = Interruptible::current();
  Handle<OrtStatus> status;
  {
    const Cancel::Watch watch(scope == nullptr ? nullptr : scope->cancel(), end);
    status = scope != nullptr ? supervise(*scope, load, end) : load();
  }
  if (status.get() != nullptr) check_interrupt();
  runtime_->check(std::move(status), subject(), "a network that ONNX Runtime loads");
  return {session, api.release_session.call};
}

OrtSession* Session::session_of_process() const {
  if (generation_ == platform::fork_generation()) return session_.get();
  const std::lock_guard lock(mutex_);
  if (generation_ != platform::fork_generation()) {
    session_.leak();  // its threads stayed in the parent, and releasing it would wait for them
    session_ = create();
    generation_ = platform::fork_generation();
  }
  return session_.get();
}

std::vector<TensorInfo> Session::describe(bool inputs) const {
  const Api& api = runtime_->api();
  const auto check = [&](OrtStatus* status) { runtime_->check(status, subject()); };
  OrtSession* session = session_.get();
  OrtAllocator* allocator = nullptr;
  check(api.get_allocator_with_default_options(&allocator));
  std::size_t n = 0;
  check(inputs ? api.session_get_input_count(session, &n) : api.session_get_output_count(session, &n));
  std::vector<TensorInfo> infos(n);
  for (std::size_t i = 0; i < n; ++i) {
    char* name = nullptr;
    check(inputs ? api.session_get_input_name(session, i, allocator, &name)
                 : api.session_get_output_name(session, i, allocator, &name));
    infos[i].name = name;
    check(api.allocator_free(allocator, name));
    OrtTypeInfo* type = nullptr;
    check(inputs ? api.session_get_input_type_info(session, i, &type)
                 : api.session_get_output_type_info(session, i, &type));
    const Handle<OrtTypeInfo> owned(type, api.release_type_info.call);
    const OrtTensorInfo* tensor = nullptr;
    check(api.cast_type_info_to_tensor_info(type, &tensor));
    if (tensor == nullptr) continue;  // it is a sequence or a map; its element type stays unknown
    check(api.get_tensor_element_type(tensor, &infos[i].element_type));
    infos[i].shape = shape_of(tensor);
  }
  return infos;
}

Handle<OrtValue> Session::tensor(void* data, int element_type, const Shape& shape) const {
  OrtValue* value = nullptr;
  const std::size_t size = n_values(shape) * element_size(element_type);
  runtime_->check(runtime_->api().create_tensor_with_data(runtime_->memory(), data, size, shape.data(),
                                                          shape.size(), element_type, &value),
                  subject());
  return {value, runtime_->api().release_value.call};
}

void* Session::values(OrtValue* tensor) const {
  void* data = nullptr;
  runtime_->check(runtime_->api().get_tensor_mutable_data(tensor, &data), subject());
  return data;
}

void Session::run(const std::vector<const char*>& input_names, const std::vector<OrtValue*>& inputs,
                  const std::vector<const char*>& output_names, std::vector<OrtValue*>& outputs,
                  std::size_t n_in) const {
  const auto n = static_cast<double>(std::max<std::size_t>(n_in, 1));
  const double expected_ns = n * per_value_ns_.load(std::memory_order_relaxed);
  std::optional<Turn> turn;  // comes first: those who wait for one don't hold up the end of the process
  if (expected_ns >= kSlow_ns) turn.emplace();
  Runtime::RunInProgress running(*runtime_);
  const Api& api = runtime_->api();
  OrtSession* session = session_of_process();
  const auto start = std::chrono::steady_clock::now();
  const auto run = [&]() -> Handle<OrtStatus> {
    const KeepFloatEnvironment keep;
    return {api.run(session, running.options(), input_names.data(), inputs.data(), inputs.size(),
                    output_names.data(), output_names.size(), outputs.data()),
            api.release_status.call};
  };
  Interruptible* scope = Interruptible::current();
  Handle<OrtStatus> status;
  {
    const auto end = [&running] { running.end(); };
    const Cancel::Watch watch(scope == nullptr ? nullptr : scope->cancel(), end);
    const bool maybe_long = network_->loops || expected_ns >= kLong_ns;
    status = scope != nullptr && maybe_long && scope->must_look() ? supervise(*scope, run, end) : run();
  }
  if (status.get() != nullptr && running.ended()) {
    check_interrupt();
    Runtime::check_open();
  }
  runtime_->check(std::move(status), subject(), "a network that runs on these rows");
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  if (took.count() / n < per_value_ns_.load(std::memory_order_relaxed)) per_value_ns_ = took.count() / n;
}

Shape Session::take_shape(OrtValue* value) const {
  const Api& api = runtime_->api();
  const Handle<OrtValue> owned(value, api.release_value.call);
  OrtTensorInfo* info = nullptr;
  runtime_->check(api.get_tensor_type_and_shape(value, &info), subject());
  const Handle<OrtTensorInfo> owned_info(info, api.release_tensor_info.call);
  return shape_of(info);
}

Shape Session::shape_of(const OrtTensorInfo* info) const {
  const Api& api = runtime_->api();
  std::size_t rank = 0;
  runtime_->check(api.get_dimensions_count(info, &rank), subject());
  Shape shape(rank);
  runtime_->check(api.get_dimensions(info, shape.data(), rank), subject());
  return shape;
}

}  // namespace fastaudio::onnx
