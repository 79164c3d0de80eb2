/// Execution providers: what computes a network, beside ONNX Runtime's own kernels for the CPU.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/options.hpp"
#include "inference/onnx_runtime.hpp"

namespace fastaudio::onnx {

/// A provider's name, such as "CUDAExecutionProvider", and its own options, such as device_id.
struct Provider {
  std::string name;
  std::map<std::string, std::string> options;
  friend bool operator==(const Provider&, const Provider&) = default;
};

using Providers = std::vector<Provider>;

using fastaudio::format;

/// Writes them as Python does: ['CPUExecutionProvider', ('CUDAExecutionProvider', {'device_id': '1'})].
std::string format(const Providers& providers);

/// Adds the providers in order. Throws ModelError, whose text begins with `subject`, for one that isn't
/// active in this ONNX Runtime, and for options that it doesn't know. Without the CPU's among them a network
/// runs where it was asked to or not at all.
void append_providers(const Runtime& runtime, const std::string& subject, const Providers& providers,
                      OrtSessionOptions* options);

}  // namespace fastaudio::onnx
