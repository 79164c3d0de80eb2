#include <array>

#include "bindings/options.hpp"
#include "core/compose/concat.hpp"
#include "core/compose/film.hpp"

namespace fastaudio::bindings {

namespace {

NodePtr node_of(const char* taker, py::handle value) {
  if (!value || !py::isinstance<Node>(value)) {
    throw TypeError(std::string(taker) + ": expected a node, got " + (value ? text_of(value) : "none"));
  }
  return value.cast<std::shared_ptr<Node>>();
}

py::object dict_of(const NodePtr& node) { return py::cast(unconst(node)).attr("to_dict")(); }

std::shared_ptr<Concat> make_concat(const py::args& branches, const py::kwargs& kwargs) {
  auto options = read_options<Concat>(py::args(), kwargs);
  check_options(Concat::name, options);
  std::vector<NodePtr> nodes;
  for (const py::handle branch : branches) nodes.push_back(node_of(Concat::name, branch));
  return std::make_shared<Concat>(std::move(nodes), std::move(options));
}

std::shared_ptr<Film> make_film(const py::args& args, py::kwargs kwargs) {
  std::array<py::object, 2> nodes;
  if (args.size() > nodes.size()) throw_arguments(Film::name, nodes.size(), args.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const char* key = i == 0 ? "content" : "condition";
    if (i < args.size()) nodes[i] = args[i];
    if (!kwargs.contains(key)) continue;
    if (nodes[i]) throw TypeError(std::string("Film: expected ") + key + " once, got it twice");
    nodes[i] = kwargs.attr("pop")(key);
  }
  auto options = read_options<Film>(py::args(), kwargs);
  check_options(Film::name, options);
  return std::make_shared<Film>(node_of("Film's content", nodes[0]), node_of("Film's condition", nodes[1]),
                                std::move(options));
}

void register_concat(py::module_& m) {
  py::class_<Concat, Node, std::shared_ptr<Concat>> concat(m, Concat::name, class_doc<Concat>().c_str());
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    concat.def(
        py::init([](const py::args& args, const py::kwargs& kwargs) { return make_concat(args, kwargs); }),
        "__init__(self, *branches: Node, rate_of: int | None = None, align: str = 'repeat') -> None");
  }
  const auto branches_of = [](const Concat& self) {
    py::typing::List<Node> list;
    for (const auto& [index, branch] : self.branches()) list.append(unconst(branch));
    return list;
  };
  concat.def_property_readonly("branches", branches_of, "The branches in order.")
      .def_property_readonly(
          "rate_of", [](const Concat& self) { return self.options().rate_of; },
          "Index of the branch whose rate comes out; None for the fastest.")
      .def_property_readonly(
          "align", [](const Concat& self) { return self.options().align; },
          "What a branch of another rate gives: 'repeat' or 'average'.")
      .def(
          "to_dict",
          [](const Concat& self) {
            py::list branches;
            for (const auto& [index, branch] : self.branches()) branches.append(dict_of(branch));
            py::typing::Dict<py::str, py::object> dict;
            dict["node"] = Concat::name;
            dict["branches"] = branches;
            dict.attr("update")(options_dict(self, false));
            return dict;
          },
          "The branches and the options that are not default, as a card holds them.")
      .def(py::pickle(
          [branches_of](const Concat& self) {
            return py::make_tuple(py::tuple(branches_of(self)), options_dict(self, true));
          },
          [](const py::tuple& state) {
            return make_concat(py::args(py::object(state[0])), py::kwargs(py::object(state[1])));
          }));
}

void register_film(py::module_& m) {
  py::class_<Film, Node, std::shared_ptr<Film>> film(m, Film::name, class_doc<Film>().c_str());
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    film.def(py::init([](const py::args& args, const py::kwargs& kwargs) { return make_film(args, kwargs); }),
             "__init__(self, content: Node, condition: Node, *, align: str = 'repeat') -> None");
  }
  film.def_property_readonly(
          "content", [](const Film& self) { return unconst(self.content()); },
          "The branch that is scaled and shifted.")
      .def_property_readonly(
          "condition", [](const Film& self) { return unconst(self.condition()); },
          "The branch that gives 'gamma' and 'beta'.")
      .def_property_readonly(
          "align", [](const Film& self) { return self.options().align; },
          "What a condition of another rate gives: 'repeat' or 'average'.")
      .def(
          "to_dict",
          [](const Film& self) {
            py::typing::Dict<py::str, py::object> dict;
            dict["node"] = Film::name;
            dict["content"] = dict_of(self.content());
            dict["condition"] = dict_of(self.condition());
            dict.attr("update")(options_dict(self, false));
            return dict;
          },
          "Both branches and the options that are not default, as a card holds them.")
      .def(py::pickle(
          [](const Film& self) {
            const auto nodes = py::make_tuple(unconst(self.content()), unconst(self.condition()));
            return py::make_tuple(nodes, options_dict(self, true));
          },
          [](const py::tuple& state) {
            return make_film(py::args(py::object(state[0])), py::kwargs(py::object(state[1])));
          }));
}

}  // namespace

void register_joins(py::module_& m) {
  register_concat(m);
  register_film(m);
}

}  // namespace fastaudio::bindings
