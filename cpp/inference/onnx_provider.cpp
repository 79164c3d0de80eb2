#include "inference/onnx_provider.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/options.hpp"
#include "inference/onnx_names.hpp"

namespace fastaudio::onnx {

namespace {

constexpr std::string_view kCpu = "CPUExecutionProvider";
constexpr std::string_view kCuda = "CUDAExecutionProvider";

/// The names by which ONNX Runtime takes options of providers, by those by which it lists them.
constexpr std::array<std::pair<std::string_view, const char*>, 9> kShortNames{{
    {"AzureExecutionProvider", "AZURE"},
    {"CoreMLExecutionProvider", "CoreML"},
    {"DmlExecutionProvider", "DML"},
    {"NvTensorRTRTXExecutionProvider", "NvTensorRtRtx"},
    {"OpenVINOExecutionProvider", "OpenVINO"},
    {"QNNExecutionProvider", "QNN"},
    {"VitisAIExecutionProvider", "VitisAI"},
    {"WebGpuExecutionProvider", "WebGPU"},
    {"XnnpackExecutionProvider", "XNNPACK"},
}};

const char* short_name(const std::string& name) {
  for (const auto& [listed, taken] : kShortNames) {
    if (listed == name) return taken;
  }
  return name.c_str();
}

/// The keys and values of options as the C interface takes them.
struct Pairs {
  explicit Pairs(const std::map<std::string, std::string>& options) {
    for (const auto& [key, value] : options) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
  }
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

}  // namespace

std::string format(const Providers& providers) {
  std::string text = "[";
  for (const Provider& provider : providers) {
    if (text.size() > 1) text += ", ";
    const std::string name = fastaudio::format(provider.name);
    text += provider.options.empty() ? name : "(" + name + ", " + fastaudio::format(provider.options) + ")";
  }
  return text + "]";
}

void append_providers(const Runtime& runtime, const std::string& subject, const Providers& providers,
                      OrtSessionOptions* options) {
  const Api& api = runtime.api();
  const auto available = runtime.providers();
  const bool cpu_allowed =
      std::any_of(providers.begin(), providers.end(), [](const auto& each) { return each.name == kCpu; });
  for (const Provider& provider : providers) {
    if (std::find(available.begin(), available.end(), provider.name) == available.end()) {
      throw UnknownName(subject + ": expected a provider among " + short_text(available), available,
                        provider.name, "; install an ONNX Runtime that has it");
    }
    const std::string expected =
        "options that " + provider.name + " takes, and what it needs on this machine";
    const auto check = [&](OrtStatus* status) { runtime.check(status, subject, expected.c_str()); };
    if (provider.name == kCpu) {
      if (provider.options.empty()) continue;
      throw ModelError(subject + ": expected no options for " + provider.name + ", got " +
                       fastaudio::format(provider.options) + "; leave them out");
    }
    // The model runs where it was asked to or not at all: it never falls back to the CPU silently.
    if (!cpu_allowed) check(api.add_session_config_entry(options, "session.disable_cpu_ep_fallback", "1"));
    const Pairs pairs(provider.options);
    if (provider.name == kCuda) {
      OrtCudaOptions* raw = nullptr;
      check(api.create_cuda_options(&raw));
      const Handle<OrtCudaOptions> cuda(raw, api.release_cuda_options.call);
      if (!pairs.keys.empty()) {
        check(api.update_cuda_options(raw, pairs.keys.data(), pairs.values.data(), pairs.keys.size()));
      }
      check(api.append_cuda(options, raw));
      continue;
    }
    check(api.append_execution_provider(options, short_name(provider.name), pairs.keys.data(),
                                        pairs.values.data(), pairs.keys.size()));
  }
}

}  // namespace fastaudio::onnx
