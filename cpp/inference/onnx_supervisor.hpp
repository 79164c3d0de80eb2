/// Ends long calls of ONNX Runtime that were asked to end.
#pragma once

#include <functional>

#include "core/interrupt.hpp"
#include "inference/onnx_runtime.hpp"

namespace fastaudio::onnx {

/// Calls `work` in a thread of its own, and waits for it in `scope`, which looks meanwhile whether to end. If
/// so, it calls `end`, waits until the work has returned, and throws what the scope threw: an operator isn't
/// ended in its middle. There are at most as many such threads as there are that wait in here. Where none can
/// be started, the work runs in the caller's.
Handle<OrtStatus> supervise(Interruptible& scope, const std::function<Handle<OrtStatus>()>& work,
                            const std::function<void()>& end);

}  // namespace fastaudio::onnx
