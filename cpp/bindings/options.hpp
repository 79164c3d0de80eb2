/// Makes a node's Python class from its `fields()`: constructor, properties, docs, card form, pickling.
///
/// An edited header of a node compiles this anew, so the templates here only collect what is known of its
/// options; options.cpp does the work without knowing their types.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/made.hpp"
#include "core/compose/composite.hpp"
#include "core/options.hpp"

namespace fastaudio::bindings {

/// A node's options; throws std::bad_cast for a node of another class.
using OptionsOf = const void* (*)(const Node& node);

/// What can be done with values of a type, given their addresses.
struct ValueType {
  std::string name;                          ///< "int | None"
  bool (*read)(py::handle value, void* to);  ///< false if the value has another type
  py::object (*to_python)(const void* value);
  std::string (*format)(const void* value);  ///< as Python spells it
  bool (*equal)(const void* a, const void* b);
  py::cpp_function (*getter)(OptionsOf options_of, std::size_t offset);
};

/// Instantiated in options.cpp for each type that an option has.
template <class T>
const ValueType& value_type();

struct OptionField {
  const char* name;
  const char* doc;
  std::optional<Range> range;
  Choices choices;
  const char* unit;
  Place place;
  std::size_t offset;  ///< of the value in Options
  const ValueType* type;

  /// "int in [1, 65536] samples": for messages and docs.
  std::string expected() const;
};

struct OptionTable {
  const char* node;
  OptionsOf options_of;  ///< null if the options are no node's
  std::shared_ptr<const void> defaults;
  std::vector<OptionField> fields;
};

template <class N>
OptionTable make_option_table() {
  using Options = typename N::Options;
  const auto defaults = std::make_shared<const Options>();
  OptionsOf options_of = nullptr;
  if constexpr (std::is_base_of_v<Node, N>) {
    options_of = [](const Node& node) -> const void* { return &dynamic_cast<const N&>(node).options(); };
  }
  OptionTable table{N::name, options_of, defaults, {}};
  for_each_field<Options>([&](const auto& field) {
    const auto& value = (*defaults).*field.member;
    const auto* at = reinterpret_cast<const char*>(&value);
    const auto offset = static_cast<std::size_t>(at - reinterpret_cast<const char*>(defaults.get()));
    table.fields.push_back({field.name, field.doc, field.range, field.choices, field.unit, field.place,
                            offset, &value_type<std::remove_cvref_t<decltype(value)>>()});
  });
  return table;
}

template <class N>
const OptionTable& option_table() {
  static const OptionTable table = make_option_table<N>();
  return table;
}

/// A value as an error message shows it.
std::string text_of(py::handle value);

[[noreturn]] void throw_wrong_type(const std::string& node, const char* field, const std::string& expected,
                                   py::handle value);
[[noreturn]] void throw_unknown_option(const std::string& node, const std::string& got,
                                       const std::vector<std::string>& known);
[[noreturn]] void throw_arguments(const std::string& node, std::size_t positional, std::size_t got);

/// What a pickle holds, as the keywords of a call. Throws TypeError if a key isn't text.
py::kwargs state_of(const py::dict& state);

void read_options(const OptionTable& table, void* options, const py::args& args, const py::kwargs& kwargs);
/// All options, or only those that differ from their defaults, in types that JSON has.
py::dict options_dict(const OptionTable& table, const Node& node, bool all);
std::string class_doc(const OptionTable& table, const char* doc);
/// Binds a property for each option.
void bind_options(py::handle cls, const OptionTable& table);
void bind_to_dict(py::handle cls, const OptionTable& table);

/// Options from a call's arguments; each problem is reported in the node's name.
template <class N>
typename N::Options read_options(const py::args& args, const py::kwargs& kwargs) {
  typename N::Options options;
  read_options(option_table<N>(), &options, args, kwargs);
  return options;
}

/// The node's own text, then its options and errors.
template <class N>
std::string class_doc() {
  return class_doc(option_table<N>(), N::doc);
}

/// The docstring of a constructor, "__init__(self, path: str, *, threads: int = 1) -> None". The signature
/// without types comes first, in the form that inspect.signature reads and __doc__ leaves out.
std::string init_doc(const OptionTable& table, std::span<const ChildArgument> children = {});

/// Binds everything that follows from `N::Options`; `make` builds the node from them.
///
/// `warn` hears of a node that a caller made; not of one that is read from a pickle or a card, whose options
/// are what they are.
template <class N, class Make, class Warn = void (*)(const N&)>
py::class_<N, Node, std::shared_ptr<N>> bind_node(py::module_& m, Make make, Warn warn = [](const N&) {}) {
  const OptionTable& table = option_table<N>();
  py::class_<N, Node, std::shared_ptr<N>> cls(m, N::name, class_doc<N>().c_str());
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    def_init(
        cls,
        [make, warn](const py::args& args, const py::kwargs& kwargs) {
          auto node = make(read_options<N>(args, kwargs));
          warn(*node);
          return node;
        },
        init_doc(table).c_str());
  }
  bind_options(cls, table);
  bind_to_dict(cls, table);
  def_pickle(
      cls, [](const N& node) { return options_dict(option_table<N>(), node, true); },
      [make](const py::dict& state) { return make(read_options<N>(py::args(), state_of(state))); });
  return cls;
}

}  // namespace fastaudio::bindings
