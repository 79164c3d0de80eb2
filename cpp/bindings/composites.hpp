/// Makes a composite's Python class from its `child_arguments` and `fields()`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bindings/options.hpp"
#include "core/budget.hpp"
#include "core/compose/composite.hpp"

namespace fastaudio::bindings {

/// Takes the children out of a call's arguments and leaves the options. Throws TypeError for what isn't a
/// node.
std::vector<NamedNode> take_children(const char* composite, std::span<const ChildArgument> declared,
                                     py::args& args, py::kwargs& kwargs);

/// The children under the names of their arguments, each converted by `convert`.
template <class Convert>
py::dict children_dict(std::span<const ChildArgument> declared, std::span<const Child> children,
                       Convert&& convert) {
  py::dict named;
  py::list list;
  for (const Child& child : children) {
    const py::object value = convert(py::cast(unconst(child.node)));
    named[child.name.c_str()] = value;
    list.append(value);
  }
  if (declared[0].form == Form::node) return named;
  py::dict dict;
  dict[declared[0].name] = declared[0].form == Form::dict ? py::object(named) : py::object(list);
  return dict;
}

/// What `child_arguments` in Python tells of a form: "node", "list" or "dict".
const char* name_of(Form form);

/// A node from the arguments of its constructor.
template <class N>
std::shared_ptr<N> construct(py::args args, py::kwargs kwargs) {
  const std::size_t n_args = args.size();
  auto children = take_children(N::name, N::child_arguments, args, kwargs);
  std::size_t positional = 0;
  for_each_field<typename N::Options>([&](const auto& field) {
    if (field.place != Place::positional) return;
    ++positional;
    if constexpr (requires { N::remedy; }) {
      if (positional > args.size() && !kwargs.contains(field.name)) {
        throw TypeError(std::string(N::name) + ": expected " + field.name + ", got none; " + N::remedy);
      }
    }
  });
  if (args.size() > positional) throw_arguments(N::name, n_args - args.size() + positional, n_args);
  auto options = read_options<N>(args, kwargs);
  check_options(N::name, options);
  const Budget::At at(N::name);
  return unlocked([&] { return make_composite<N>(std::move(children), std::move(options)); });
}

template <class N>
void bind_children(py::class_<N, Node, std::shared_ptr<N>>& cls) {
  constexpr Form form = N::child_arguments[0].form;
  const auto in_order = [](const N& node) {
    py::typing::List<Node> list;
    for (const Child& child : node.children()) list.append(unconst(child.node));
    return list;
  };
  const auto by_name = [](const N& node) {
    py::typing::Dict<py::str, Node> dict;
    for (const Child& child : node.children()) dict[child.name.c_str()] = unconst(child.node);
    return dict;
  };
  std::size_t i = 0;
  for (const ChildArgument& argument : N::child_arguments) {
    if constexpr (form == Form::node) {
      cls.def_property_readonly(
          argument.name, [i](const N& node) { return unconst(node.children()[i].node); }, argument.doc);
      ++i;
    } else if constexpr (form == Form::dict) {
      cls.def_property_readonly(argument.name, by_name, argument.doc);
    } else {
      cls.def_property_readonly(argument.name, in_order, argument.doc);
    }
  }
  cls.def_static(
      "child_arguments",
      [] {
        py::typing::Dict<py::str, py::str> forms;
        for (const ChildArgument& argument : N::child_arguments)
          forms[argument.name] = name_of(argument.form);
        return forms;
      },
      "The constructor's arguments that hold children, each with its form.");
}

/// Binds the constructor, a property for each option and each argument with children, the card form and
/// pickling.
template <class N>
py::class_<N, Node, std::shared_ptr<N>> bind_composite(py::module_& m) {
  py::class_<N, Node, std::shared_ptr<N>> cls(m, N::name, class_doc<N>().c_str());
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    cls.def(
        py::init([](const py::args& args, const py::kwargs& kwargs) { return construct<N>(args, kwargs); }),
        init_doc(option_table<N>(), N::child_arguments).c_str());
  }
  bind_options(cls, option_table<N>());
  bind_children<N>(cls);
  cls.def(
      "to_dict",
      [](const N& node) {
        py::typing::Dict<py::str, py::object> dict;
        dict["node"] = N::name;
        const auto to_dict = [](const py::object& child) -> py::object { return child.attr("to_dict")(); };
        dict.attr("update")(children_dict(N::child_arguments, node.children(), to_dict));
        dict.attr("update")(options_dict(option_table<N>(), node, false));
        return dict;
      },
      "The children and the options that are not default, as a card holds them.");
  cls.def(py::pickle(
      [](const N& node) {
        const auto same = [](const py::object& child) { return child; };
        py::dict state = children_dict(N::child_arguments, node.children(), same);
        state.attr("update")(options_dict(option_table<N>(), node, true));
        return state;
      },
      [](const py::dict& state) { return construct<N>(py::args(), py::kwargs(state)); }));
  return cls;
}

}  // namespace fastaudio::bindings
