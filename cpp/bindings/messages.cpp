#include "bindings/errors.hpp"

#include <exception>
#include <string>

namespace fastaudio::bindings {

namespace {

/// "open: expected (self: Node, input: StreamSpec), got Log(), 'x'" of what pybind11 says in three paragraphs
/// and with the whole text of all arguments; nothing of another message.
std::string rewritten(std::string_view text) {
  constexpr std::string_view kBegin = "(): incompatible ";
  constexpr std::string_view kTypes = "are supported:\n    1. ";
  constexpr std::string_view kGot = "\nInvoked with: ";
  constexpr std::size_t kLongest = 200;
  const std::size_t begin = text.find(kBegin);
  const std::size_t types = text.find(kTypes);
  const std::size_t got = text.find(kGot);
  if (begin > kLongest || types == text.npos || got == text.npos || got < types) return "";
  std::string_view signature = text.substr(types + kTypes.size(), got - types - kTypes.size());
  signature = signature.substr(0, signature.find('\n'));  // the first, if there are several
  std::string_view values = text.substr(got + kGot.size());
  const bool cut = values.size() > kLongest;
  if (cut) values = values.substr(0, kLongest);
  return std::string(text.substr(0, begin)) + ": expected " + std::string(signature) + ", got " +
         std::string(values) + (cut ? "..." : "");
}

/// Puts a TypeError of pybind11 into our words.
void shorten_error() {
  if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return;
  py::error_scope scope;  // puts the error back
  PyErr_NormalizeException(&scope.type, &scope.value, &scope.trace);
  const auto text = py::reinterpret_steal<py::object>(PyObject_Str(scope.value));
  if (!text) return PyErr_Clear();
  const py::bytes bytes = text.attr("encode")("utf-8", "backslashreplace");
  const std::string words = rewritten(std::string_view(bytes));
  if (words.empty()) return;
  set_error(PyExc_TypeError, words);
  Py_CLEAR(scope.type);
  Py_CLEAR(scope.value);
  Py_CLEAR(scope.trace);
  PyErr_Fetch(&scope.type, &scope.value, &scope.trace);
}

/// Stands before pybind11's function, which all bound functions share. Its arguments depend on the version.
template <class... Arguments>
struct Shortened {
  using Function = PyObject* (*)(PyObject*, Arguments...);
  static inline Function original = nullptr;

  static PyObject* call(PyObject* self, Arguments... arguments) {
    PyObject* result = original(self, arguments...);
    if (result != nullptr) return result;
    try {
      shorten_error();
    } catch (const std::exception&) {  // there is no memory for it, and Python's C code takes no exception
    }
    return result;
  }

  static void stand_before(PyMethodDef& method) {
    const auto function = reinterpret_cast<Function>(reinterpret_cast<void (*)()>(method.ml_meth));
    if (function == &call) return;
    if (original == nullptr) original = function;
    if (function != original) return;  // none of ours
    method.ml_meth = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&call));
  }
};

void shorten(py::handle value) {
  if (!value || value.is_none()) return;
  if (PyInstanceMethod_Check(value.ptr())) return shorten(PyInstanceMethod_GET_FUNCTION(value.ptr()));
  if (!PyCFunction_Check(value.ptr())) return;
  PyMethodDef& method = *reinterpret_cast<PyCFunctionObject*>(value.ptr())->m_ml;
  if (method.ml_flags == (METH_FASTCALL | METH_KEYWORDS)) {
    Shortened<PyObject* const*, py::ssize_t, PyObject*>::stand_before(method);
  } else if (method.ml_flags == (METH_VARARGS | METH_KEYWORDS)) {
    Shortened<PyObject*, PyObject*>::stand_before(method);
  }
}

void shorten_all(const py::dict& names) {
  for (const auto& [name, value] : names) {
    shorten(value);
    for (const char* part : {"__func__", "fget", "fset"}) {  // static methods and properties
      if (py::hasattr(value, part)) shorten(value.attr(part));
    }
  }
}

}  // namespace

void shorten_messages(py::module_& m) {
  const py::dict names = m.attr("__dict__");
  for (const auto& [name, value] : names) {
    if (py::isinstance<py::type>(value)) shorten_all(py::dict(value.attr("__dict__")));
  }
  shorten_all(names);
}

}  // namespace fastaudio::bindings
