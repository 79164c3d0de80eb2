/// Ends runs of networks that were asked to end.
#pragma once

#include <functional>

#include "core/interrupt.hpp"
#include "inference/onnx_runtime.hpp"

namespace fastaudio::onnx {

/// Calls `work`, which is `run`, in a thread of its own, and waits for it in `scope`, which looks meanwhile
/// whether to end. Then ends the run, waits until it has returned, and throws what the scope threw: an
/// operator isn't ended in its middle. There are at most as many such threads as there are that wait in here.
/// Where none can be started, `work` runs in the caller's.
Handle<OrtStatus> supervise(Interruptible& scope, Runtime::RunInProgress& run,
                            const std::function<Handle<OrtStatus>()>& work);

}  // namespace fastaudio::onnx
