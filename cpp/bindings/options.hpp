/// From a node's `fields()` to its Python class: constructor, properties, docs, pickling.
#pragma once

#include <algorithm>
#include <climits>
#include <string>

#include "bindings/bindings.hpp"
#include "core/options.hpp"

namespace fastaudio::bindings {

/// A Python value as a field's type, strictly: no bool for int, no float for int, no number for str.
template <class T>
struct Reader;

template <>
struct Reader<bool> {
  static constexpr const char* type = "bool";
  static bool read(py::handle value, bool& out) {
    if (!py::isinstance<py::bool_>(value)) return false;
    out = value.cast<bool>();
    return true;
  }
};
template <>
struct Reader<int> {
  static constexpr const char* type = "int";
  static bool read(py::handle value, int& out) {
    if (py::isinstance<py::bool_>(value) || !PyIndex_Check(value.ptr())) return false;
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!index) throw py::error_already_set();
    int overflow = 0;
    const long wide = PyLong_AsLongAndOverflow(index.ptr(), &overflow);
    // Beyond int: the nearest int, which no range allows.
    if (overflow > 0 || wide > INT_MAX) {
      out = INT_MAX;
    } else if (overflow < 0 || wide < INT_MIN) {
      out = INT_MIN;
    } else {
      out = static_cast<int>(wide);
    }
    return true;
  }
};
template <>
struct Reader<double> {
  static constexpr const char* type = "float";
  static bool read(py::handle value, double& out) {
    if (py::isinstance<py::bool_>(value) || !PyNumber_Check(value.ptr())) return false;
    out = PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred()) {
      PyErr_Clear();
      return false;
    }
    return true;
  }
};
template <>
struct Reader<std::string> {
  static constexpr const char* type = "str";
  static bool read(py::handle value, std::string& out) {
    if (!py::isinstance<py::str>(value)) return false;
    try {
      out = value.cast<std::string>();
    } catch (const py::cast_error&) {  // a lone surrogate, which UTF-8 can't hold
      return false;
    }
    return true;
  }
};
/// Any sequence, a NumPy array among them, but no text: its items would pass for numbers or names.
template <class T>
struct ListReader {
  static bool read(py::handle value, std::vector<T>& out) {
    const bool text =
        PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr()) || PyByteArray_Check(value.ptr());
    if (text || !py::isinstance<py::sequence>(value)) return false;
    const auto items = py::reinterpret_steal<py::list>(PySequence_List(value.ptr()));
    if (!items) {  // an array without axes
      PyErr_Clear();
      return false;
    }
    out.clear();
    for (const py::handle item : items) {
      T read{};
      if (!Reader<T>::read(item, read)) return false;
      out.push_back(std::move(read));
    }
    return true;
  }
};
template <>
struct Reader<std::vector<std::string>> : ListReader<std::string> {
  static constexpr const char* type = "list[str]";
};
template <>
struct Reader<std::vector<double>> : ListReader<double> {
  static constexpr const char* type = "list[float]";
};

/// Names for names; in the order of the keys, which means nothing.
template <>
struct Reader<std::map<std::string, std::string>> {
  static constexpr const char* type = "dict[str, str]";
  static bool read(py::handle value, std::map<std::string, std::string>& out) {
    if (!py::isinstance<py::dict>(value)) return false;
    for (const auto& [key, item] : py::reinterpret_borrow<py::dict>(value)) {
      std::string name;
      if (!Reader<std::string>::read(key, name) || !Reader<std::string>::read(item, out[name])) return false;
    }
    return true;
  }
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
std::string type_name() {
  if constexpr (IsOptional<T>::value) {
    return std::string(Reader<typename T::value_type>::type) + " | None";
  } else {
    return Reader<T>::type;
  }
}

/// "an int in [1, 65536] samples": what a field takes, for messages and docs.
template <class T>
std::string expected(const auto& field) {
  std::string text = type_name<T>();
  if (field.range) text += " in " + format(*field.range, field.unit);
  if (!field.choices.names.empty()) text += ", " + format(field.choices);
  return text;
}

/// A value as an error message shows it.
std::string text_of(py::handle value);

[[noreturn]] void throw_wrong_type(const std::string& node, const char* field, const std::string& expected,
                                   py::handle value);
[[noreturn]] void throw_unknown_option(const std::string& node, const std::string& got,
                                       const std::vector<std::string>& known);
[[noreturn]] void throw_arguments(const std::string& node, std::size_t positional, std::size_t got);

template <class T>
T read_value(const char* node, const auto& field, py::handle value) {
  T out{};
  if constexpr (IsOptional<T>::value) {
    if (value.is_none()) return out;
    typename T::value_type inner{};
    if (Reader<typename T::value_type>::read(value, inner)) return inner;
  } else {
    if (Reader<T>::read(value, out)) return out;
  }
  throw_wrong_type(node, field.name, expected<T>(field), value);
}

/// Options from a call's arguments; every problem is reported in the node's own words.
template <class N>
typename N::Options read_options(const py::args& args, const py::kwargs& kwargs) {
  using Options = typename N::Options;
  Options options;
  std::size_t positional = 0;
  std::vector<std::string> known;
  for_each_field<Options>([&](const auto& field) {
    using T = std::remove_cvref_t<decltype(options.*field.member)>;
    known.emplace_back(field.name);
    py::object value;
    if (field.place == Place::positional && positional < args.size()) value = args[positional++];
    if (kwargs.contains(field.name)) value = kwargs[field.name];
    if (value) {
      options.*field.member = read_value<T>(N::name, field, value);
    } else if (field.place == Place::positional) {
      throw TypeError(std::string(N::name) + ": expected " + field.name + ", got none");
    }
  });
  if (args.size() > positional) throw_arguments(N::name, positional, args.size());
  for (const auto& item : kwargs) {
    const auto key = item.first.cast<std::string>();
    if (std::find(known.begin(), known.end(), key) == known.end()) throw_unknown_option(N::name, key, known);
  }
  return options;
}

/// All options, or only those that differ from their defaults, as JSON takes them.
template <class N>
py::dict options_dict(const N& node, bool all) {
  using Options = typename N::Options;
  const Options options = node.options();
  const Options defaults;
  py::dict dict;
  for_each_field<Options>([&](const auto& field) {
    const auto& value = options.*field.member;
    if (!all && field.place == Place::keyword && value == defaults.*field.member) return;
    dict[field.name] = py::cast(value);
  });
  return dict;
}

/// "(self, path: str, *, threads: int = 1) -> None"
template <class Options>
std::string signature() {
  std::string text = "(self";
  const Options defaults;
  bool keywords = false;
  for_each_field<Options>([&](const auto& field) {
    using T = std::remove_cvref_t<decltype(defaults.*field.member)>;
    if (field.place != Place::positional && !keywords) {
      text += ", *";
      keywords = true;
    }
    text += std::string(", ") + field.name + ": " + type_name<T>();
    if (field.place != Place::positional) text += " = " + format(defaults.*field.member);
  });
  return text + ") -> None";
}

/// The node's own text, then its options and errors.
template <class N>
std::string class_doc() {
  using Options = typename N::Options;
  std::string text = N::doc;
  std::string options;
  const Options defaults;
  for_each_field<Options>([&](const auto& field) {
    using T = std::remove_cvref_t<decltype(defaults.*field.member)>;
    options += std::string("    ") + field.name + ": " + expected<T>(field);
    if (field.place != Place::positional) options += ", default " + format(defaults.*field.member);
    options += std::string("\n        ") + field.doc + "\n";
  });
  if (options.empty()) return text;
  return text + "\nOptions:\n" + options +
         "\nRaises:\n    TypeError: an option of a wrong type or an unknown name.\n"
         "    ValueError: an option outside its range.\n";
}

/// Binds a property for each option.
template <class N>
void bind_options(py::class_<N, Node, std::shared_ptr<N>>& cls) {
  using Options = typename N::Options;
  for_each_field<Options>([&](const auto& field) {
    using T = std::remove_cvref_t<decltype(std::declval<Options>().*field.member)>;
    const auto member = field.member;
    cls.def_property_readonly(
        field.name, [member](const N& node) -> T { return node.options().*member; }, field.doc);
  });
}

/// Binds everything that follows from `N::Options`; `make` builds the node from them.
template <class N, class Make>
py::class_<N, Node, std::shared_ptr<N>> bind_node(py::module_& m, Make make) {
  using Options = typename N::Options;
  py::class_<N, Node, std::shared_ptr<N>> cls(m, N::name, class_doc<N>().c_str());
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    const std::string doc = "__init__" + signature<Options>();
    cls.def(py::init([make](const py::args& args, const py::kwargs& kwargs) {
              return make(read_options<N>(args, kwargs));
            }),
            doc.c_str());
  }
  bind_options<N>(cls);
  cls.def(
      "to_dict",
      [](const N& node) {
        py::typing::Dict<py::str, py::object> dict;
        dict["node"] = N::name;
        dict.attr("update")(options_dict(node, false));
        return dict;
      },
      "The node's name and the options that are not default, as a card holds them.");
  cls.def(py::pickle(
      [](const N& node) { return options_dict(node, true); },
      [make](const py::dict& state) { return make(read_options<N>(py::args(), py::kwargs(state))); }));
  return cls;
}

}  // namespace fastaudio::bindings
