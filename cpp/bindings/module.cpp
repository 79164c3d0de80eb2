#include "bindings/bindings.hpp"

namespace {

/// States what `from fastaudio._core import *` gives the package: every class there is so far.
void publish_classes(pybind11::module_& m) {
  pybind11::list names;
  for (const auto& [name, value] : pybind11::dict(m.attr("__dict__"))) {
    if (pybind11::isinstance<pybind11::type>(value)) names.append(name);
  }
  m.attr("__all__") = names;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  using namespace fastaudio::bindings;
  m.doc() = "The C++ core of fastaudio.";
  register_errors(m);
  register_cancel(m);
  NodeClass node = register_node(m);
  register_nodes(m);
  register_composites(m, node);
  register_onnx(m);
  register_stream(m, node);
  publish_classes(m);  // nodes, streams and errors; what follows is wrapped in Python
  register_interrupt(m);
  register_live(m);
  register_silence(m);
  register_budget(m);
  register_info(m);
}
