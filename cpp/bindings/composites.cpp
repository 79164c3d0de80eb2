#include "bindings/bindings.hpp"
#include "core/diagram.hpp"
#include "core/parallel.hpp"
#include "core/sequential.hpp"

namespace fastaudio::bindings {

namespace {

std::shared_ptr<Parallel> make_parallel(const py::typing::Dict<py::str, Node>& branches) {
  std::vector<Parallel::Branch> list;
  for (const auto& [name, node] : branches) {
    if (!py::isinstance<py::str>(name) || !py::isinstance<Node>(node)) {
      throw TypeError("Parallel: expected a dict of names to nodes, got " +
                      py::cast<std::string>(py::repr(branches)));
    }
    list.emplace_back(name.cast<std::string>(), node.cast<std::shared_ptr<Node>>());
  }
  return std::make_shared<Parallel>(std::move(list));
}

}  // namespace

void register_composites(py::module_& m, NodeClass& node) {
  py::class_<Sequential, Node, std::shared_ptr<Sequential>>(
      m, "Sequential",
      "Nodes in a row, each one's output the next one's input; `a >> b` makes one.\n\n"
      "Raises:\n    ValueError: where two neighbours' rates, shapes or units don't fit.\n")
      .def(py::init([](const std::vector<std::shared_ptr<Node>>& nodes) {
             return std::make_shared<Sequential>(std::vector<NodePtr>(nodes.begin(), nodes.end()));
           }),
           py::arg("nodes"))
      .def("__len__", [](const Sequential& self) { return self.parts().size(); })
      .def(
          "__getitem__",
          [](const Sequential& self, std::ptrdiff_t index) {
            const auto parts = self.parts();
            const auto n = static_cast<std::ptrdiff_t>(parts.size());
            if (index < -n || index >= n) throw py::index_error("Sequential: expected an index in the row");
            return unconst(parts[static_cast<std::size_t>(index < 0 ? index + n : index)]);
          },
          py::arg("index"))
      .def(
          "to_dict",
          [](const Sequential& self) {
            py::list parts;
            for (const NodePtr& part : self.parts()) parts.append(py::cast(unconst(part)).attr("to_dict")());
            py::typing::Dict<py::str, py::object> dict;
            dict["node"] = Sequential::name;
            dict["nodes"] = parts;
            return dict;
          },
          "The parts as a card holds them.")
      .def(py::pickle(
          [](const Sequential& self) {
            py::list parts;
            for (const NodePtr& part : self.parts()) parts.append(unconst(part));
            return py::make_tuple(parts);
          },
          [](const py::tuple& state) {
            std::vector<NodePtr> parts;
            for (const py::handle part : state[0]) parts.push_back(part.cast<std::shared_ptr<Node>>());
            return std::make_shared<Sequential>(parts);
          }));
  py::class_<Parallel, Node, std::shared_ptr<Parallel>>(
      m, "Parallel",
      "Named branches over one input, which is computed once; `a >> {\"name\": b}` makes one.\n\n"
      "Raises:\n    ValueError: where a branch doesn't fit the input.\n")
      .def(py::init(&make_parallel), py::arg("branches"))
      .def_property_readonly(
          "branches",
          [](const Parallel& self) {
            py::typing::Dict<py::str, Node> dict;
            for (const auto& [name, branch] : self.branches()) dict[name.c_str()] = unconst(branch);
            return dict;
          },
          "The branches by name.")
      .def(
          "to_dict",
          [](const Parallel& self) {
            py::dict branches;
            for (const auto& [name, branch] : self.branches()) {
              branches[name.c_str()] = py::cast(unconst(branch)).attr("to_dict")();
            }
            py::typing::Dict<py::str, py::object> dict;
            dict["node"] = Parallel::name;
            dict["branches"] = branches;
            return dict;
          },
          "The branches as a card holds them.")
      .def(py::pickle(
          [](const py::object& self) { return py::make_tuple(py::object(self.attr("branches"))); },
          [](const py::tuple& state) { return make_parallel(py::typing::Dict<py::str, Node>(state[0])); }));
  node.def(
      "__rshift__",
      [](const std::shared_ptr<Node>& self, const std::shared_ptr<Node>& next) {
        return std::make_shared<Sequential>(std::vector<NodePtr>{self, next});
      },
      py::is_operator(), py::arg("next"));
  node.def(
      "__rshift__",
      [](const std::shared_ptr<Node>& self, const py::typing::Dict<py::str, Node>& branches) {
        return std::make_shared<Sequential>(std::vector<NodePtr>{self, make_parallel(branches)});
      },
      py::is_operator(), py::arg("branches"));
}

}  // namespace fastaudio::bindings
