#include "bindings/bindings.hpp"

PYBIND11_MODULE(_core, m) {
  using namespace fastaudio::bindings;
  m.doc() = "The C++ core of fastaudio.";
  register_errors(m);
  NodeClass node = register_node(m);
  register_nodes(m);
  register_composites(m, node);
  register_onnx(m);
  register_stream(m, node);
  register_live(m);
  register_info(m);
}
