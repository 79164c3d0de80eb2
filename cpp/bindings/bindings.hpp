/// What the binding sources share; nothing outside this folder includes pybind11.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <memory>
#include <thread>

#ifdef __GLIBCXX__
#include <cxxabi.h>
#endif

#include "bindings/interrupt.hpp"
#include "core/node.hpp"

namespace fastaudio::bindings {

namespace py = pybind11;

using NodeClass = py::class_<Node, std::shared_ptr<Node>>;

/// pybind11 has no holder of constant objects; every bound method of a Node is const all the same.
inline std::shared_ptr<Node> unconst(const NodePtr& node) { return std::const_pointer_cast<Node>(node); }

/// Lets other Python threads run in its scope, in which `check_interrupt` hears Ctrl-C. A thread that comes
/// back after finalisation has begun must not go on: it blocks forever, and the process ends without it.
class WithoutGil {
 public:
  WithoutGil()
      : scope_({.poll = ending() ? nullptr : poll_of_thread()}),
        state_(ending() ? nullptr : PyEval_SaveThread()) {}
  ~WithoutGil() noexcept(false) {
    if (state_ == nullptr) return;
    if (ending()) block_forever();
#ifdef __GLIBCXX__
    try {
      PyEval_RestoreThread(state_);
    } catch (abi::__forced_unwind&) {
      block_forever();  // Python ends this thread by unwinding, which may not pass through our C++
    }
#else
    PyEval_RestoreThread(state_);
#endif
  }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  [[noreturn]] static void block_forever() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }

  static bool ending() {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing() != 0;
#else
    return _Py_IsFinalizing() != 0;
#endif
  }

  Interruptible scope_;
  PyThreadState* state_;
};

/// What `call` returns, without the GIL: for what may take long or wait for a lock.
template <class Call>
auto unlocked(Call&& call) {
  const WithoutGil without_gil;
  return call();
}

void register_errors(py::module_& m);
void register_cancel(py::module_& m);
void register_interrupt(py::module_& m);
NodeClass register_node(py::module_& m);
void register_nodes(py::module_& m);
void register_composites(py::module_& m, NodeClass& node);
void register_onnx(py::module_& m);
void register_stream(py::module_& m, NodeClass& node);
void register_live(py::module_& m);
void register_silence(py::module_& m);
void register_budget(py::module_& m);
void register_info(py::module_& m);

}  // namespace fastaudio::bindings
