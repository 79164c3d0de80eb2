#include "bindings/composites.hpp"

#include "core/compose/all.hpp"

namespace fastaudio::bindings {

namespace {

[[noreturn]] void refuse(const std::string& taker, const char* expected, py::handle value) {
  throw TypeError(taker + ": expected " + expected + ", got " + (value ? text_of(value) : "none"));
}

NodePtr read_node(const std::string& taker, py::handle value, const char* expected = "a node",
                  py::handle whole = {}) {
  if (!value || !py::isinstance<Node>(value)) refuse(taker, expected, whole ? whole : value);
  return value.cast<std::shared_ptr<Node>>();
}

std::vector<NamedNode> read_list(const std::string& taker, py::handle value) {
  constexpr const char* kExpected = "a list of nodes";
  if (!value || !(py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value))) {
    refuse(taker, kExpected, value);
  }
  std::vector<NamedNode> nodes;
  for (const py::handle node : value) nodes.emplace_back("", read_node(taker, node, kExpected, value));
  return nodes;
}

std::vector<NamedNode> read_dict(const std::string& taker, py::handle value) {
  constexpr const char* kExpected = "a dict of names to nodes";
  if (!value || !py::isinstance<py::dict>(value)) refuse(taker, kExpected, value);
  std::vector<NamedNode> nodes;
  for (const auto& [name, node] : py::reinterpret_borrow<py::dict>(value)) {
    if (!py::isinstance<py::str>(name)) refuse(taker, kExpected, value);
    nodes.emplace_back(name.cast<std::string>(), read_node(taker, node, kExpected, value));
  }
  return nodes;
}

}  // namespace

std::vector<NamedNode> take_children(const char* composite, std::span<const ChildArgument> declared,
                                     py::args& args, py::kwargs& kwargs) {
  const std::string name = composite;
  std::vector<NamedNode> children;
  std::size_t taken = 0;
  for (const ChildArgument& argument : declared) {
    const bool all = argument.form == Form::variadic && args.size() > 0;
    py::object value;
    if (all) {
      value = args;
      taken = args.size();
    } else if (taken < args.size()) {
      value = args[taken++];
    }
    if (kwargs.contains(argument.name)) {
      if (value) throw TypeError(name + ": expected " + argument.name + " once, got it twice");
      value = kwargs.attr("pop")(argument.name);
    }
    if (argument.form == Form::node) {
      const std::string taker = declared.size() == 1 ? name : name + "'s " + argument.name;
      children.emplace_back("", read_node(taker, value));
    } else if (argument.form == Form::dict) {
      children = read_dict(name, value);
    } else if (all) {
      for (const py::handle node : args) children.emplace_back("", read_node(name, node));
    } else if (value || argument.form == Form::list) {
      children = read_list(name, value);
    }
  }
  args = py::args(
      py::object(args[py::slice(static_cast<py::ssize_t>(taken), static_cast<py::ssize_t>(args.size()), 1)]));
  return children;
}

const char* name_of(Form form) {
  if (form == Form::node) return "node";
  return form == Form::dict ? "dict" : "list";
}

void register_composites(py::module_& m, NodeClass& node) {
  [&]<class... N>(std::type_identity<std::tuple<std::type_identity<N>...>>) {
    (bind_composite<N>(m), ...);
  }(std::type_identity<AllComposites>{});
  auto sequential = py::class_<Sequential, Node, std::shared_ptr<Sequential>>(m.attr("Sequential"));
  sequential.def("__len__", [](const Sequential& self) { return self.children().size(); })
      .def(
          "__getitem__",
          [](const Sequential& self, std::ptrdiff_t index) {
            const auto n = static_cast<std::ptrdiff_t>(self.children().size());
            if (index < -n || index >= n) throw py::index_error("Sequential: expected an index in the row");
            return unconst(self.children()[static_cast<std::size_t>(index < 0 ? index + n : index)].node);
          },
          py::arg("index"));
  node.def(
      "__rshift__",
      [](const std::shared_ptr<Node>& self, const std::shared_ptr<Node>& next) {
        return unlocked([&] { return std::make_shared<Sequential>(std::vector<NodePtr>{self, next}); });
      },
      py::is_operator(), py::arg("next"));
  node.def(
      "__rshift__",
      [](const std::shared_ptr<Node>& self, const py::typing::Dict<py::str, Node>& branches) {
        auto named = read_dict(Parallel::name, branches);
        return unlocked([&] {
          const NodePtr parallel = std::make_shared<Parallel>(std::move(named));
          return std::make_shared<Sequential>(std::vector<NodePtr>{self, parallel});
        });
      },
      py::is_operator(), py::arg("branches"));
}

}  // namespace fastaudio::bindings
