/// Runs an OnnxModel over the rows of a stream.
#pragma once

#include <memory>

#include "inference/onnx_model.hpp"

namespace fastaudio {

/// With one thread, runs happen inside push. With more, push hands rows to workers and returns;
/// results come out in order, at a later push, settle or flush. Rows of a clip that is one run are kept until
/// flush.
std::unique_ptr<Stream> open_onnx_stream(std::shared_ptr<const OnnxModel> node, OnnxModel::Plan plan,
                                         const StreamSpec& input);

}  // namespace fastaudio
