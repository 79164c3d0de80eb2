#include "bindings/options.hpp"

namespace fastaudio::bindings {

std::string text_of(py::handle value) {
  auto text = py::cast<std::string>(py::repr(value));
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

void throw_wrong_type(const std::string& node, const char* field, const std::string& expected,
                      py::handle value) {
  const auto type = py::cast<std::string>(py::type::of(value).attr("__name__"));
  throw TypeError(node + ": expected " + field + " as " + expected + ", got " +
                  py::cast<std::string>(py::repr(value)) + " (" + type + ")");
}

void throw_unknown_option(const std::string& node, const std::string& got,
                          const std::vector<std::string>& known) {
  const auto difflib = py::module_::import("difflib");
  const py::list near = difflib.attr("get_close_matches")(got, known, 1);
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  const std::string remedy = near.empty() ? "" : "; did you mean '" + near[0].cast<std::string>() + "'?";
  throw TypeError(node + ": expected options among " + (names.empty() ? "(none)" : names) + ", got '" + got +
                  "'" + remedy);
}

void throw_arguments(const std::string& node, std::size_t positional, std::size_t got) {
  throw TypeError(node + ": expected " + std::to_string(positional) + " positional arguments, got " +
                  std::to_string(got) + "; name the options");
}

}  // namespace fastaudio::bindings
