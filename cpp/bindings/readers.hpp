/// Reads Python's values for options and arguments.
#pragma once

#include <algorithm>
#include <climits>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"

namespace fastaudio::bindings {

/// Reads a Python value as T, strictly: it takes no bool or float for an int, and no number for a str.
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
struct Reader<std::int64_t> {
  static constexpr const char* type = "int";
  static bool read(py::handle value, std::int64_t& out) {
    if (py::isinstance<py::bool_>(value) || !PyIndex_Check(value.ptr())) return false;
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!index) throw py::error_already_set();
    int overflow = 0;
    out = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    // For a number too large this is the nearest one, which every range excludes.
    if (overflow != 0) out = overflow > 0 ? INT64_MAX : INT64_MIN;
    return true;
  }
};
template <>
struct Reader<int> {
  static constexpr const char* type = "int";
  static bool read(py::handle value, int& out) {
    std::int64_t wide = 0;
    if (!Reader<std::int64_t>::read(value, wide)) return false;
    out = static_cast<int>(std::clamp<std::int64_t>(wide, INT_MIN, INT_MAX));
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
/// Takes any sequence, NumPy arrays too, except text, whose items would pass for numbers or names.
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
struct Reader<std::vector<double>> {
  static constexpr const char* type = "float | list[float]";
  /// One number is a list of one.
  static bool read(py::handle value, std::vector<double>& out) {
    if (ListReader<double>::read(value, out)) return true;
    double number = 0;
    if (py::isinstance<py::sequence>(value) || !Reader<double>::read(value, number)) return false;
    out = {number};
    return true;
  }
};

/// Takes names for names. They come out sorted by key; the order means nothing.
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

}  // namespace fastaudio::bindings
