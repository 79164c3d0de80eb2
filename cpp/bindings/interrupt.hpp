/// Work in the core that hears Ctrl-C, and other ends that were asked for.
#pragma once

#include "core/interrupt.hpp"

namespace fastaudio::bindings {

/// What work without the GIL polls in this thread: in Python's main thread, pending signals; in others
/// nothing, since handlers of signals never run there. Needs the GIL.
Interruptible::Poll poll_of_thread();

}  // namespace fastaudio::bindings
