/// Reads and gives out the options that only a network has: constants and providers.
#pragma once

#include <string>

#include "bindings/readers.hpp"
#include "inference/onnx_constant.hpp"
#include "inference/onnx_provider.hpp"

namespace fastaudio::bindings {

template <>
struct Reader<onnx::Constants> {
  static constexpr const char* type = "dict[str, float | list[typing.Any]]";
  /// Takes numbers, and lists or arrays of them with equally many in each row; no text.
  static bool read(py::handle value, onnx::Constants& out);
};

template <>
struct Reader<onnx::Providers> {
  static constexpr const char* type = "list[str | tuple[str, dict[str, str]]]";
  static bool read(py::handle value, onnx::Providers& out);
};

/// Numbers in nested lists, as JSON has them.
py::object to_python(const onnx::Constant& constant);

/// A name, or a name with its options.
py::object to_python(const onnx::Provider& provider);

}  // namespace fastaudio::bindings

namespace pybind11::detail {

template <>
struct type_caster<fastaudio::onnx::Constant> {
  PYBIND11_TYPE_CASTER(fastaudio::onnx::Constant, const_name("typing.Any"));
  static handle cast(const fastaudio::onnx::Constant& from, return_value_policy, handle) {
    return fastaudio::bindings::to_python(from).release();
  }
};

template <>
struct type_caster<fastaudio::onnx::Provider> {
  PYBIND11_TYPE_CASTER(fastaudio::onnx::Provider, const_name("str | tuple[str, dict[str, str]]"));
  static handle cast(const fastaudio::onnx::Provider& from, return_value_policy, handle) {
    return fastaudio::bindings::to_python(from).release();
  }
};

}  // namespace pybind11::detail
