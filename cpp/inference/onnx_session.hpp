/// A session is a model that ONNX Runtime has loaded. Every failure is a ModelError.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "inference/onnx_network.hpp"

namespace fastaudio::onnx {

/// The extents of a tensor's axes, -1 where an axis is open.
using Shape = std::vector<std::int64_t>;

/// Writes a shape as "[2, ?, 128]".
std::string shape_text(const Shape& shape);

/// Returns how many values a tensor of a shape without open axes holds; the largest number if that is more.
std::size_t n_values(const Shape& shape);

/// The most values that a tensor of a run may have.
inline constexpr std::size_t kLargestTensor = std::size_t{1} << 28;

/// Throws ModelError if a tensor of that shape would have more than `kLargestTensor` values: call it before
/// memory is taken for one. `what` says which, such as "input".
void require_size(const std::string& subject, const std::string& what, const Shape& shape);

struct TensorInfo {
  std::string name;
  int element_type = 0;
  Shape shape;
};

/// Returns the type of a tensor's values as NumPy spells it, such as "float16".
std::string type_text(int element_type);

/// Returns the tensor of that name, or null.
const TensorInfo* find(const std::vector<TensorInfo>& infos, const std::string& name);

std::vector<std::string> names_of(const std::vector<TensorInfo>& infos);

/// A model that is ready to run. It is thread-safe. A run uses one thread: its caller's, or another if it may
/// take long and can be interrupted, so that the caller can look whether it has to end. It waits for a
/// `Turn` first, because each run at the same time takes memory for all the network's layers, which the
/// session then keeps. Runs that take less than a millisecond need little, and take no turns; how long one
/// takes is told by the shortest run so far for each of its values, since runs differ in their rows. In a
/// forked child, the session is made anew at its first use.
class Session {
 public:
  /// Names in `outputs` that aren't the graph's outputs are made such if the graph has these tensors. Throws
  /// UnknownTensor if it hasn't.
  explicit Session(std::shared_ptr<const Network> network, const std::vector<std::string>& outputs = {});

  const std::shared_ptr<const Network>& network() const { return network_; }
  const std::string& subject() const { return network_->subject; }
  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }

  /// How many of the outputs, which come first, are the graph's own.
  std::size_t n_own_outputs() const { return outputs_.size() - added_.size(); }

  /// Wraps `data`, which must outlive the tensor.
  Handle<OrtValue> tensor(void* data, int element_type, const Shape& shape) const;

  /// Returns where a tensor's values lie.
  void* values(OrtValue* tensor) const;

  /// Reads the inputs, which hold `n_in` values beside the state, and fills the outputs. ONNX Runtime
  /// allocates those that are null; it doesn't fill one that has an input's name. Within an `Interruptible`
  /// it throws what that throws, once the operator that runs then has ended.
  void run(const std::vector<const char*>& input_names, const std::vector<OrtValue*>& inputs,
           const std::vector<const char*>& output_names, std::vector<OrtValue*>& outputs,
           std::size_t n_in) const;

  /// Returns the shape of a tensor that a run allocated, and releases the tensor.
  Shape take_shape(OrtValue* value) const;

 private:
  static constexpr double kSlow_ns = 1e6;   ///< takes turns
  static constexpr double kLong_ns = 10e6;  ///< is watched, which costs some 50 us

  Handle<OrtSession> create() const;
  void add_files(OrtSessionOptions* options) const;
  void add_outputs(const std::vector<std::string>& names);
  OrtSession* session_of_process() const;
  std::vector<TensorInfo> describe(bool inputs) const;
  Shape shape_of(const OrtTensorInfo* info) const;

  std::shared_ptr<Runtime> runtime_;
  std::shared_ptr<const Network> network_;
  std::vector<std::string> added_;  ///< outputs that the graph itself doesn't give out
  mutable std::mutex mutex_;        ///< held while the two below are made anew after a fork
  mutable Handle<OrtSession> session_;
  mutable std::atomic<int> generation_;
  mutable std::atomic<double> per_value_ns_{std::numeric_limits<double>::infinity()};  ///< at the fastest
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
};

}  // namespace fastaudio::onnx
