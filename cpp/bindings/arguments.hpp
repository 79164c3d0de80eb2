/// Arguments of functions. They are read as strictly as nodes' options and refused in the same words.
#pragma once

#include "bindings/options.hpp"
#include "bindings/readers.hpp"

namespace fastaudio::bindings {

/// Any object; signatures say that it should be a T.
template <class T>
class Argument : public py::object {
 public:
  PYBIND11_OBJECT(Argument, py::object, any)

  /// Throws TypeError, in the name of `subject`.
  T read(const char* subject, const char* name) const {
    T out{};
    if (Reader<T>::read(*this, out)) return out;
    throw_wrong_type(subject, name, Reader<T>::type, *this);
  }

 private:
  static bool any(PyObject*) { return true; }
};

}  // namespace fastaudio::bindings

namespace pybind11::detail {
template <>
struct handle_type_name<fastaudio::bindings::Argument<int>> {
  static constexpr auto name = const_name("int");
};
template <>
struct handle_type_name<fastaudio::bindings::Argument<double>> {
  static constexpr auto name = const_name("float");
};
}  // namespace pybind11::detail
