/// What the binding sources share; nothing outside this folder includes pybind11.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>

#include "core/node.hpp"

namespace fastaudio::bindings {

namespace py = pybind11;

using NodeClass = py::class_<Node, std::shared_ptr<Node>>;

/// pybind11 has no holder of constant objects; every bound method of a Node is const all the same.
inline std::shared_ptr<Node> unconst(const NodePtr& node) { return std::const_pointer_cast<Node>(node); }

void register_errors(py::module_& m);
NodeClass register_node(py::module_& m);
void register_nodes(py::module_& m, NodeClass& node);
void register_composites(py::module_& m, NodeClass& node);
void register_onnx(py::module_& m, NodeClass& node);
void register_stream(py::module_& m, NodeClass& node);
void register_info(py::module_& m);

}  // namespace fastaudio::bindings
