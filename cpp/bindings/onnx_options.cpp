#include "bindings/onnx_options.hpp"

#include <utility>

namespace fastaudio::bindings {

namespace {

constexpr std::size_t kDeepest = 8;

bool read_number(py::handle value, onnx::Number& out) {
  if (PyBool_Check(value.ptr())) {
    out = value.cast<bool>();
    return true;
  }
  if (PyLong_Check(value.ptr())) {
    int overflow = 0;
    out = std::int64_t{PyLong_AsLongLongAndOverflow(value.ptr(), &overflow)};
    return overflow == 0;
  }
  if (!PyFloat_Check(value.ptr())) return false;
  out = PyFloat_AS_DOUBLE(value.ptr());
  return true;
}

/// Reads lists in lists; `axis` is how deep this one lies.
bool read_axes(py::handle value, std::size_t axis, onnx::Constant& out) {
  if (!PyList_Check(value.ptr()) && !PyTuple_Check(value.ptr())) {
    if (axis != out.shape.size() || out.values.size() >= onnx::kLargestConstant) return false;
    return read_number(value, out.values.emplace_back());
  }
  const auto n = static_cast<std::int64_t>(PySequence_Size(value.ptr()));
  if (axis == out.shape.size()) {  // the first list at this depth says how many there are in all
    if (!out.values.empty() || axis >= kDeepest) return false;
    out.shape.push_back(n);
  }
  if (n == 0 || out.shape[axis] != n) return false;
  for (const py::handle item : py::reinterpret_borrow<py::sequence>(value)) {
    if (!read_axes(item, axis + 1, out)) return false;
  }
  return true;
}

}  // namespace

bool Reader<onnx::Constants>::read(py::handle value, onnx::Constants& out) {
  if (!py::isinstance<py::dict>(value)) return false;
  for (const auto& [key, item] : py::reinterpret_borrow<py::dict>(value)) {
    std::string name;
    if (!Reader<std::string>::read(key, name)) return false;
    auto plain = py::reinterpret_borrow<py::object>(item);
    if (py::hasattr(plain, "tolist")) plain = plain.attr("tolist")();  // of NumPy and of tensors
    onnx::Constant constant;
    if (!read_axes(plain, 0, constant)) return false;
    out[name] = std::move(constant);
  }
  return true;
}

bool Reader<onnx::Providers>::read(py::handle value, onnx::Providers& out) {
  if (!py::isinstance<py::list>(value) && !py::isinstance<py::tuple>(value)) return false;
  for (const py::handle item : py::reinterpret_borrow<py::sequence>(value)) {
    onnx::Provider provider;
    if (!Reader<std::string>::read(item, provider.name)) {
      if (!py::isinstance<py::list>(item) && !py::isinstance<py::tuple>(item)) return false;
      const auto pair = py::reinterpret_borrow<py::sequence>(item);
      if (pair.size() != 2 || !Reader<std::string>::read(py::object(pair[0]), provider.name) ||
          !Reader<std::map<std::string, std::string>>::read(py::object(pair[1]), provider.options)) {
        return false;
      }
    }
    out.push_back(std::move(provider));
  }
  return true;
}

py::object to_python(const onnx::Constant& constant) {
  std::size_t at = 0;
  const auto axes = [&](auto& self, std::size_t axis) -> py::object {
    if (axis == constant.shape.size()) {
      return std::visit([](const auto number) -> py::object { return py::cast(number); },
                        constant.values[at++]);
    }
    py::list items;
    for (std::int64_t i = 0; i < constant.shape[axis]; ++i) items.append(self(self, axis + 1));
    return items;
  };
  return axes(axes, 0);
}

py::object to_python(const onnx::Provider& provider) {
  if (provider.options.empty()) return py::str(provider.name);
  return py::make_tuple(provider.name, provider.options);
}

}  // namespace fastaudio::bindings
