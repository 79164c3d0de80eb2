/// Errors in Python.
#pragma once

#include <string_view>

#include "bindings/bindings.hpp"

namespace fastaudio::bindings {

/// Sets Python's error, with a message that never fills more than a screen: of a long one, its beginning and
/// its end are kept, where the remedy stands. It may not be UTF-8, since networks name their tensors as they
/// like.
void set_error(PyObject* type, std::string_view text);

/// Puts pybind11's own messages, which hold the whole text of all arguments, into our words. Call it when
/// everything is registered.
void shorten_messages(py::module_& m);

}  // namespace fastaudio::bindings
