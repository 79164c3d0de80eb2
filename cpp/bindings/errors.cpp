#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bindings/bindings.hpp"
#include "core/budget.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"

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

/// Makes an exception of a message, which never fills more than a screen: of a long one, its beginning and
/// its end are kept, where the remedy stands. Networks name their tensors as they like, so it may not be
/// UTF-8.
void set(PyObject* type, std::string_view text) {
  constexpr std::size_t kHead = 900;
  constexpr std::size_t kTail = 500;
  std::string cut(text);
  if (text.size() > kHead + kTail) {
    const auto within = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; };
    std::size_t head = kHead;
    std::size_t tail = text.size() - kTail;
    while (head > 0 && within(head)) --head;
    while (tail < text.size() && within(tail)) ++tail;
    cut = std::string(text.substr(0, head)) + " [...] " + std::string(text.substr(tail));
  }
  const auto message = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(cut.data(), static_cast<py::ssize_t>(cut.size()), "replace"));
  if (message) PyErr_SetObject(type, message.ptr());
}

constexpr const char* kNoMemory =
    "memory: expected enough for what the options and the signal ask for, got too little; choose smaller "
    "options, or push shorter blocks";

PyObject* state_error = nullptr;
PyObject* model_error = nullptr;
PyObject* budget_error = nullptr;
PyObject* overrun = nullptr;
PyObject* cancelled = nullptr;
PyObject* timed_out = nullptr;

}  // namespace

void register_errors(py::module_& m) {
  PyObject* base = make_error(m, "FastaudioError", "The base class of all errors that only fastaudio raises.",
                              py::make_tuple(py::handle(PyExc_Exception)));
  const auto bases = py::make_tuple(py::handle(base), py::handle(PyExc_RuntimeError));
  state_error =
      make_error(m, "StateError", "A call came at the wrong time, such as a push after flush.", bases);
  model_error = make_error(m, "ModelError", "A model, card or hash can't be used as asked.", bases);
  budget_error = make_error(m, "BudgetError", "A card asks for more than its reader allows: see Budget.",
                            py::make_tuple(py::handle(model_error)));
  overrun = make_error(m, "Overrun", "Sound came faster than it could be processed.", bases);
  cancelled = make_error(m, "Cancelled", "A call was ended because somebody asked for it.", bases);
  timed_out = make_error(m, "TimedOut", "A call took longer than the time that it was allowed.",
                         py::make_tuple(py::handle(base), py::handle(PyExc_TimeoutError)));
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const ValueError& error) {
      set(PyExc_ValueError, error.what());
    } catch (const TypeError& error) {
      set(PyExc_TypeError, error.what());
    } catch (const StateError& error) {
      set(state_error, error.what());
    } catch (const EndOfProcess& error) {
      set(PyExc_SystemExit, error.what());  // else a thread's traceback could meet the end of stderr
    } catch (const BudgetError& error) {
      set(budget_error, error.what());
    } catch (const ModelError& error) {
      set(model_error, error.what());
    } catch (const Overrun& error) {
      set(overrun, error.what());
    } catch (const Cancelled& error) {
      set(cancelled, error.what());
    } catch (const TimedOut& error) {
      set(timed_out, error.what());
    } catch (const std::bad_alloc&) {
      set(PyExc_MemoryError, kNoMemory);
    } catch (const std::length_error&) {
      set(PyExc_MemoryError, kNoMemory);
    }
  });
}

}  // namespace fastaudio::bindings
