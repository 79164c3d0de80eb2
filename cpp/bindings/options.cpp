#include "bindings/options.hpp"

#include <algorithm>

#include "bindings/guess.hpp"
#include "bindings/onnx_options.hpp"
#include "bindings/readers.hpp"

namespace fastaudio::bindings {

namespace {

template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

const void* value_of(const OptionField& field, const void* options) {
  return static_cast<const char*>(options) + field.offset;
}

template <class T>
bool read_value(py::handle value, void* to) {
  T read{};
  if constexpr (IsOptional<T>::value) {
    if (!value.is_none() && !Reader<typename T::value_type>::read(value, read.emplace())) return false;
  } else {
    if (!Reader<T>::read(value, read)) return false;
  }
  *static_cast<T*>(to) = std::move(read);
  return true;
}

template <class T>
py::cpp_function getter(OptionsOf options_of, std::size_t offset) {
  return [options_of, offset](const Node& node) -> T {
    return as<T>(static_cast<const char*>(options_of(node)) + offset);
  };
}

/// Whether a keyword is left out of a card and of repr.
bool is_default(const OptionTable& table, const OptionField& field, const void* options) {
  return field.place == Place::keyword &&
         field.type->equal(value_of(field, options), value_of(field, table.defaults.get()));
}

/// Whether None means the choice 'none'.
bool takes_none(const OptionField& field) { return contains(field.choices, "none"); }

/// Whether it is a path, which may be an object: the only text that isn't a keyword.
bool is_path(const OptionField& field) {
  return field.place == Place::positional && field.type == &value_type<std::string>();
}

std::string type_text(const OptionField& field) {
  return field.type->name + (takes_none(field) ? " | None" : is_path(field) ? " | os.PathLike[str]" : "");
}

/// The value as an option of this field would be written: paths as text, and None as 'none' where that is
/// what other libraries call it.
py::object as_written(const OptionField& field, py::object value) {
  if (value.is_none() && takes_none(field)) return py::str("none");
  if (is_path(field) && py::hasattr(value, "__fspath__"))
    return py::module_::import("os").attr("fspath")(value);
  return value;
}

/// What to do if an option has a wrong type.
std::string remedy_for_type(std::string_view field, py::handle value) {
  const bool bytes =
      PyBytes_Check(value.ptr()) || PyByteArray_Check(value.ptr()) || PyMemoryView_Check(value.ptr());
  if (field == "path" && bytes) return "; write the bytes to a file, and give its path";
  return "";
}

std::string default_text(const OptionTable& table, const OptionField& field) {
  return field.type->format(value_of(field, table.defaults.get()));
}

}  // namespace

template <class T>
const ValueType& value_type() {
  static const ValueType type{type_name<T>(),
                              read_value<T>,
                              [](const void* value) -> py::object { return py::cast(as<T>(value)); },
                              [](const void* value) { return format(as<T>(value)); },
                              [](const void* a, const void* b) { return as<T>(a) == as<T>(b); },
                              getter<T>};
  return type;
}

template const ValueType& value_type<bool>();
template const ValueType& value_type<int>();
template const ValueType& value_type<std::int64_t>();
template const ValueType& value_type<double>();
template const ValueType& value_type<std::string>();
template const ValueType& value_type<std::optional<int>>();
template const ValueType& value_type<std::optional<double>>();
template const ValueType& value_type<std::vector<std::string>>();
template const ValueType& value_type<std::vector<double>>();
template const ValueType& value_type<std::map<std::string, std::string>>();
template const ValueType& value_type<onnx::Constants>();
template const ValueType& value_type<onnx::Providers>();

std::string OptionField::expected() const {
  std::string text = type_text(*this);
  if (range) text += " in " + format(*range, unit);
  if (!choices.names.empty()) text += ", " + format(choices);
  return text;
}

std::string text_of(py::handle value) {
  constexpr std::size_t kLongest = 80;
  constexpr py::ssize_t kItems = 60;
  const bool flat =
      PyBytes_Check(value.ptr()) || PyByteArray_Check(value.ptr()) || PyUnicode_Check(value.ptr());
  // The whole text of a long value would take long; reprlib writes the beginning of a collection.
  const auto shown = py::reinterpret_borrow<py::object>(value);
  const py::str written = flat ? py::str(py::repr(shown[py::slice(0, kItems, 1)]))
                               : py::str(py::module_::import("reprlib").attr("repr")(shown));
  auto text = py::cast<std::string>(
      py::str(py::bytes(written.attr("encode")("utf-8", "backslashreplace"))));  // lone surrogates
  const bool cut = flat && py::len(shown) > static_cast<std::size_t>(kItems);
  if (text.size() <= kLongest && !cut) return text;
  std::size_t end = std::min(text.size(), kLongest - 3);
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // within a character
  return text.substr(0, end) + "...";
}

void throw_wrong_type(const std::string& node, const char* field, const std::string& expected,
                      py::handle value) {
  const auto type = py::cast<std::string>(py::type::of(value).attr("__name__"));
  throw TypeError(node + ": expected " + field + " as " + expected + ", got " + text_of(value) + " (" + type +
                  ")" + remedy_for_type(field, value));
}

void throw_unknown_option(const std::string& node, const std::string& got,
                          const std::vector<std::string>& known) {
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  throw TypeError(node + ": expected options among " + (names.empty() ? "(none)" : names) + ", got " +
                  text_of(py::str(got)) + did_you_mean(got, known));
}

void throw_arguments(const std::string& node, std::size_t positional, std::size_t got) {
  throw TypeError(node + ": expected " + std::to_string(positional) + " positional arguments, got " +
                  std::to_string(got) + "; name the options");
}

py::kwargs state_of(const py::dict& state) {
  for (const auto& item : state) {
    if (!py::isinstance<py::str>(item.first)) {
      throw TypeError("__setstate__: expected a dict of options by name, got the key " + text_of(item.first));
    }
  }
  return state.attr("copy")();
}

void read_options(const OptionTable& table, void* options, const py::args& args, const py::kwargs& kwargs) {
  std::size_t positional = 0;
  std::vector<std::string> known;
  for (const OptionField& field : table.fields) {
    known.emplace_back(field.name);
    py::object value;
    if (field.place == Place::positional && positional < args.size()) value = args[positional++];
    if (kwargs.contains(field.name)) value = kwargs[field.name];
    if (value) {
      value = as_written(field, std::move(value));
      void* to = static_cast<char*>(options) + field.offset;
      if (!field.type->read(value, to)) throw_wrong_type(table.node, field.name, field.expected(), value);
    } else if (field.place == Place::positional) {
      throw TypeError(std::string(table.node) + ": expected " + field.name + ", got none");
    }
  }
  if (args.size() > positional) throw_arguments(table.node, positional, args.size());
  for (const auto& item : kwargs) {
    const auto key = item.first.cast<std::string>();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw_unknown_option(table.node, key, known);
    }
  }
}

py::dict options_dict(const OptionTable& table, const Node& node, bool all) {
  const void* options = table.options_of(node);
  py::dict dict;
  for (const OptionField& field : table.fields) {
    if (!all && is_default(table, field, options)) continue;
    dict[field.name] = field.type->to_python(value_of(field, options));
  }
  return dict;
}

std::string init_doc(const OptionTable& table, std::span<const ChildArgument> children) {
  // In the order of Form.
  static constexpr const char* kTypes[] = {"Node", "list[Node] | tuple[Node, ...]", "dict[str, Node]",
                                           "Node"};
  std::string plain = "__init__(self", typed = plain;
  const auto add = [&](const std::string& name, const std::string& type, const std::string& value) {
    plain += ", " + name + (value.empty() ? "" : "=" + value);
    typed += ", " + name + (type.empty() ? "" : ": " + type) + (value.empty() ? "" : " = " + value);
  };
  bool only_keywords = false;  // follow
  for (const ChildArgument& argument : children) {
    const bool variadic = argument.form == Form::variadic;
    add((variadic ? "*" : "") + std::string(argument.name), kTypes[static_cast<int>(argument.form)], "");
    only_keywords = only_keywords || variadic;
  }
  for (const OptionField& field : table.fields) {
    const bool positional = field.place == Place::positional;
    if (!positional && !only_keywords) add("*", "", "");
    only_keywords = only_keywords || !positional;
    add(field.name, type_text(field), positional ? "" : default_text(table, field));
  }
  return plain + ")\n--\n\n" + typed + ") -> None";
}

std::string class_doc(const OptionTable& table, const char* doc) {
  std::string text = doc;
  if (table.fields.empty()) return text;
  text += "\nOptions:\n";
  for (const OptionField& field : table.fields) {
    text += std::string("    ") + field.name + ": " + field.expected();
    if (field.place != Place::positional) text += ", default " + default_text(table, field);
    text += std::string("\n        ") + field.doc + "\n";
  }
  return text +
         "\nRaises:\n    TypeError: an option of a wrong type or an unknown name.\n"
         "    ValueError: an option outside its range.\n";
}

void bind_options(py::handle cls, const OptionTable& table) {
  const py::handle property(reinterpret_cast<PyObject*>(&PyProperty_Type));
  for (const OptionField& field : table.fields) {
    cls.attr(field.name) = property(field.type->getter(table.options_of, field.offset), py::none(),
                                    py::none(), py::str(field.doc));
  }
}

void bind_to_dict(py::handle cls, const OptionTable& table) {
  cls.attr("to_dict") = py::cpp_function(
      [&table](const Node& node) {
        py::typing::Dict<py::str, py::object> dict;
        dict["node"] = table.node;
        dict.attr("update")(options_dict(table, node, false));
        return dict;
      },
      py::name("to_dict"), py::is_method(cls),
      "The node's name and the options that are not default, as a card holds them.");
}

}  // namespace fastaudio::bindings
