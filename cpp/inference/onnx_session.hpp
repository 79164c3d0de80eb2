/// A loaded model of ONNX Runtime. Every failure is a ModelError.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "inference/onnx_runtime.hpp"

namespace fastaudio::onnx {

struct TensorInfo {
  std::string name;
  int element_type = 0;
  std::vector<std::int64_t> shape;  ///< -1 where it varies
};

/// A model ready to run. Thread-safe; a run uses its caller's thread only. Made again by itself in a
/// forked child.
class Session {
 public:
  /// `subject` begins its error messages; `model` is the file's content.
  Session(std::string subject, std::string model, std::vector<std::string> providers);

  const std::string& subject() const { return subject_; }
  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }

  /// Wraps `data`, which must outlive the tensor.
  Handle<OrtValue> tensor(float* data, const std::vector<std::int64_t>& shape) const;

  /// Reads the inputs and fills the outputs. Outputs that are null are allocated by ONNX Runtime.
  void run(const std::vector<const char*>& input_names, const std::vector<OrtValue*>& inputs,
           const std::vector<const char*>& output_names, std::vector<OrtValue*>& outputs) const;

  /// Shape of a tensor that a run allocated; the tensor is released.
  std::vector<std::int64_t> take_shape(OrtValue* value) const;

 private:
  Handle<OrtSession> create() const;
  OrtSession* current() const;
  std::vector<TensorInfo> describe(bool inputs) const;

  std::shared_ptr<Runtime> runtime_;
  std::string subject_;
  std::string model_;
  std::vector<std::string> providers_;
  mutable std::mutex mutex_;  ///< held to make the two below again after a fork
  mutable Handle<OrtSession> session_;
  mutable std::atomic<int> generation_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
};

}  // namespace fastaudio::onnx
