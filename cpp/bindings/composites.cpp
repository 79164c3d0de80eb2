#include "bindings/options.hpp"
#include "core/compose/each.hpp"
#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"

namespace fastaudio::bindings {

namespace {

std::shared_ptr<Parallel> make_parallel(py::handle branches) {
  const auto refuse = [&] {
    throw TypeError("Parallel: expected a dict of names to nodes, got " + text_of(branches));
  };
  if (!py::isinstance<py::dict>(branches)) refuse();
  std::vector<Parallel::Branch> list;
  for (const auto& [name, node] : py::reinterpret_borrow<py::dict>(branches)) {
    if (!py::isinstance<py::str>(name) || !py::isinstance<Node>(node)) refuse();
    list.emplace_back(name.cast<std::string>(), node.cast<std::shared_ptr<Node>>());
  }
  return std::make_shared<Parallel>(std::move(list));
}

std::shared_ptr<Sequential> make_sequential(py::handle nodes) {
  const auto refuse = [&] { throw TypeError("Sequential: expected a list of nodes, got " + text_of(nodes)); };
  if (!py::isinstance<py::list>(nodes) && !py::isinstance<py::tuple>(nodes)) refuse();
  std::vector<NodePtr> list;
  for (const py::handle node : nodes) {
    if (!py::isinstance<Node>(node)) refuse();
    list.push_back(node.cast<std::shared_ptr<Node>>());
  }
  return std::make_shared<Sequential>(list);
}

std::shared_ptr<Each> make_each(const py::args& args, py::kwargs kwargs) {
  py::object inner;
  if (kwargs.contains("inner")) inner = kwargs.attr("pop")("inner");
  if (args.size() > (inner ? 0u : 1u)) throw_arguments(Each::name, inner ? 0 : 1, args.size());
  if (args.size() == 1) inner = args[0];
  const auto options = read_options<Each>(py::args(), kwargs);
  check_options(Each::name, options);
  if (!inner || !py::isinstance<Node>(inner)) {
    throw TypeError("Each: expected a node, got " + (inner ? text_of(inner) : "none"));
  }
  return std::make_shared<Each>(inner.cast<std::shared_ptr<Node>>(), options);
}

void register_each(py::module_& m) {
  py::class_<Each, Node, std::shared_ptr<Each>> each(m, Each::name, class_doc<Each>().c_str());
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    each.def(py::init([](const py::args& args, const py::kwargs& kwargs) { return make_each(args, kwargs); }),
             "__init__(self, inner: Node, *, length: int | None = None) -> None");
  }
  each.def_property_readonly(
          "inner", [](const Each& self) { return unconst(self.inner()); }, "The node run over each clip.")
      .def_property_readonly(
          "length", [](const Each& self) { return self.options().length; },
          "Rows kept of each clip, the first ones; None for all.")
      .def(
          "to_dict",
          [](const Each& self) {
            py::typing::Dict<py::str, py::object> dict;
            dict["node"] = Each::name;
            dict["inner"] = py::cast(unconst(self.inner())).attr("to_dict")();
            dict.attr("update")(options_dict(self, false));
            return dict;
          },
          "The node within and the options that are not default, as a card holds them.")
      .def(py::pickle(
          [](const Each& self) { return py::make_tuple(unconst(self.inner()), options_dict(self, true)); },
          [](const py::tuple& state) {
            return make_each(py::make_tuple(state[0]), py::kwargs(py::object(state[1])));
          }));
}

}  // namespace

void register_composites(py::module_& m, NodeClass& node) {
  py::class_<Sequential, Node, std::shared_ptr<Sequential>> sequential(
      m, "Sequential",
      "Nodes in a row, each one's output the next one's input; `a >> b` makes one.\n\n"
      "Raises:\n    ValueError: where two neighbours' rates, shapes or units don't fit.\n");
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    sequential.def(py::init([](const py::object& nodes) { return make_sequential(nodes); }), py::arg("nodes"),
                   "__init__(self, nodes: list[Node] | tuple[Node, ...]) -> None");
  }
  sequential.def("__len__", [](const Sequential& self) { return self.parts().size(); })
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
          [](const py::tuple& state) { return make_sequential(py::object(state[0])); }));
  py::class_<Parallel, Node, std::shared_ptr<Parallel>> parallel(
      m, "Parallel",
      "Named branches over one input, which is computed once; `a >> {\"name\": b}` makes one.\n\n"
      "Raises:\n    ValueError: where a branch doesn't fit the input.\n");
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    parallel.def(py::init([](const py::object& branches) { return make_parallel(branches); }),
                 py::arg("branches"), "__init__(self, branches: dict[str, Node]) -> None");
  }
  parallel
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
      .def(
          py::pickle([](const py::object& self) { return py::make_tuple(py::object(self.attr("branches"))); },
                     [](const py::tuple& state) { return make_parallel(py::object(state[0])); }));
  register_each(m);
  register_joins(m);
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
