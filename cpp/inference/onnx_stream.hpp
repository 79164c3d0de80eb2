/// Runs an OnnxModel over the rows of a stream.
#pragma once

#include <memory>

#include "inference/onnx_model.hpp"

namespace fastaudio {

/// With one thread, runs happen inside push. With more, push hands rows to workers and returns;
/// results come out in order, at a later push, settle or flush.
std::unique_ptr<Stream> open_onnx_stream(std::shared_ptr<const OnnxModel> node, OnnxModel::Plan plan);

}  // namespace fastaudio
