#include "bindings/bindings.hpp"
#include "core/error.hpp"

namespace fastaudio::bindings {

namespace {

/// The type lives as long as the process, because translators may run at any time.
PyObject* make_error(py::module_& m, const char* name, const char* doc, const py::tuple& bases) {
  const std::string qualified = std::string("fastaudio.") + name;
  PyObject* type = PyErr_NewExceptionWithDoc(qualified.c_str(), doc, bases.ptr(), nullptr);
  if (type == nullptr) throw py::error_already_set();
  m.attr(name) = py::reinterpret_borrow<py::object>(type);
  return type;
}

PyObject* state_error = nullptr;
PyObject* model_error = nullptr;
PyObject* overrun = nullptr;

}  // namespace

void register_errors(py::module_& m) {
  PyObject* base = make_error(m, "FastaudioError", "The base class of all errors that only fastaudio raises.",
                              py::make_tuple(py::handle(PyExc_Exception)));
  const auto bases = py::make_tuple(py::handle(base), py::handle(PyExc_RuntimeError));
  state_error =
      make_error(m, "StateError", "A call came at the wrong time, such as a push after flush.", bases);
  model_error = make_error(m, "ModelError", "A model, card or hash can't be used as asked.", bases);
  overrun = make_error(m, "Overrun", "Sound came faster than it could be processed.", bases);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const ValueError& error) {
      py::set_error(PyExc_ValueError, error.what());
    } catch (const TypeError& error) {
      py::set_error(PyExc_TypeError, error.what());
    } catch (const StateError& error) {
      py::set_error(state_error, error.what());
    } catch (const ModelError& error) {
      py::set_error(model_error, error.what());
    } catch (const Overrun& error) {
      py::set_error(overrun, error.what());
    }
  });
}

}  // namespace fastaudio::bindings
