#include "bindings/onnx_options.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "bindings/options.hpp"
#include "inference/onnx_model.hpp"
#include "inference/onnx_names.hpp"

namespace fastaudio::bindings {

namespace {

constexpr std::size_t kDeepest = 8;

/// Reads one value of the dict, and says what is wrong with it in its input's name.
class ConstantReader {
 public:
  explicit ConstantReader(const std::string& input) : what_("inputs[" + onnx::short_text(input) + "]") {}

  onnx::Constant read(py::handle value) {
    read_axes(value, 0);
    return std::move(read_);
  }

 private:
  [[noreturn]] void refuse(const std::string& expected, const std::string& got) const {
    throw ValueError(std::string(OnnxModel::name) + ": expected " + what_ + " " + expected + ", got " + got);
  }

  /// Reads lists in lists; `axis` is how deep this one lies.
  void read_axes(py::handle value, std::size_t axis) {
    auto plain = py::reinterpret_borrow<py::object>(value);
    const bool plainest =
        PyList_Check(value.ptr()) || PyFloat_Check(value.ptr()) || PyLong_Check(value.ptr());
    if (!plainest && py::hasattr(value, "tolist")) {  // of NumPy and of tensors
      plain = value.attr("tolist")();
    }
    auto& shape = read_.shape;
    if (!PyList_Check(plain.ptr()) && !PyTuple_Check(plain.ptr())) {
      const onnx::Number number = read_number(plain);
      if (axis != shape.size()) refuse("as lists of one depth", "a number beside a list");
      if (read_.values.size() >= onnx::kLargestConstant) {
        refuse("of at most 2**20 numbers", "more; keep them in the network");
      }
      read_.values.push_back(number);
      return;
    }
    const auto n = static_cast<std::int64_t>(PySequence_Size(plain.ptr()));
    if (n == 0) refuse("of at least one number", "an empty list");
    if (axis == shape.size()) {  // the first list at this depth says how many there are in all
      if (!read_.values.empty()) refuse("as lists of one depth", "a list beside a number");
      if (axis >= kDeepest) refuse("of at most 8 axes", "more");
      shape.push_back(n);
    }
    if (shape[axis] != n) {
      refuse("as lists with equally many items in each",
             "lists of " + std::to_string(shape[axis]) + " and of " + std::to_string(n));
    }
    for (const py::handle item : py::reinterpret_borrow<py::sequence>(plain)) read_axes(item, axis + 1);
  }

  onnx::Number read_number(py::handle value) const {
    if (PyBool_Check(value.ptr())) return value.cast<bool>();
    if (PyFloat_Check(value.ptr())) return PyFloat_AS_DOUBLE(value.ptr());
    if (PyIndex_Check(value.ptr())) {
      const auto whole = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
      if (!whole) throw py::error_already_set();
      int overflow = 0;
      const long long small = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
      if (overflow == 0) return std::int64_t{small};
      const unsigned long long large = PyLong_AsUnsignedLongLong(whole.ptr());
      if (PyErr_Occurred() == nullptr) return std::uint64_t{large};
      PyErr_Clear();
      const double least = -std::ldexp(1.0, 63);
      const double beyond = PyLong_AsDouble(whole.ptr());
      if (beyond == least) return std::nextafter(least, 2 * least);  // not one that fits an int64
      PyErr_Clear();
    }
    double number = 0;
    if (!Reader<double>::read(value, number)) {
      if (PyIndex_Check(value.ptr())) refuse("within float64", "a larger number");
      throw_wrong_type(OnnxModel::name, what_.c_str(), "a number, or lists of numbers", value);
    }
    return number;
  }

  std::string what_;
  onnx::Constant read_;
};

}  // namespace

bool Reader<onnx::Constants>::read(py::handle value, onnx::Constants& out) {
  if (!py::isinstance<py::dict>(value)) return false;
  for (const auto& [key, item] : py::reinterpret_borrow<py::dict>(value)) {
    std::string name;
    if (!Reader<std::string>::read(key, name)) {
      throw_wrong_type(OnnxModel::name, "the names in inputs", "str", key);
    }
    out[name] = ConstantReader(name).read(item);
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
