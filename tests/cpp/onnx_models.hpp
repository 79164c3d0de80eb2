/// Networks to test with, and whether there is a library to run them.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "inference/onnx_model.hpp"

namespace fastaudio::test {

/// Whether a library was named; says so if not.
inline bool has_runtime() {
  const char* library = std::getenv("FASTAUDIO_ONNXRUNTIME");
  if (library != nullptr && *library != '\0') return true;
  MESSAGE("skipped: set FASTAUDIO_ONNXRUNTIME to the path of libonnxruntime");
  return false;
}

inline std::shared_ptr<OnnxModel> read_model(const std::string& path, OnnxModel::Options options = {}) {
  options.path = "model.onnx";
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return std::make_shared<OnnxModel>(options, std::string(std::istreambuf_iterator<char>(file), {}));
}

/// y = x + h, and h is the next run's y: a running sum of rows of three.
inline std::shared_ptr<OnnxModel> running_sum(int threads = 1) {
  return read_model(FASTAUDIO_GOLDEN "/onnx/state.onnx", {.state = {{"h", "h_next"}}, .threads = threads});
}

}  // namespace fastaudio::test
