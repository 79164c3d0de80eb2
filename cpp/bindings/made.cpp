#include "bindings/made.hpp"

#include <string>

#include "core/error.hpp"

namespace fastaudio::bindings {

namespace {

constexpr const char* kUnmade =
    "fastaudio: expected an object made by its class, got one that __new__ left unmade; call the class "
    "instead";

/// pybind11 calls this where it would allocate an object that isn't there.
void* refuse(std::size_t) { throw TypeError(kUnmade); }

}  // namespace

void refuse_unmade(py::module_& m) {
  for (const auto& [name, value] : py::dict(m.attr("__dict__"))) {
    if (!py::isinstance<py::type>(value)) continue;
    auto* info = py::detail::get_type_info(reinterpret_cast<PyTypeObject*>(value.ptr()));
    if (info != nullptr) info->operator_new = refuse;
  }
  // Who takes a holder of such an object gets this error.
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const py::cast_error& error) {
      const std::string text = error.what();
      const bool unmade = text.find("non-held to held") != std::string::npos;
      PyErr_SetString(PyExc_TypeError, unmade ? kUnmade : text.c_str());
    }
  });
}

void require_unmade(const MadeObject& object) {
  if (!object.instance_registered()) return;
  const std::string name =
      py::cast<std::string>(py::handle(reinterpret_cast<PyObject*>(object.type->type)).attr("__name__"));
  throw TypeError(name + ": expected its constructor to run once, got a second call while the first one ran");
}

}  // namespace fastaudio::bindings
