/// Python's objects are made once, and refused until they are.
#pragma once

#include <utility>

#include "bindings/bindings.hpp"

namespace fastaudio::bindings {

using MadeObject = py::detail::value_and_holder;

/// Lets every class of the module refuse, by TypeError, an object that `__new__` gave and no constructor
/// made: a copy that failed leaves such a one. pybind11 alone would run methods on memory that nothing was
/// written to.
void refuse_unmade(py::module_& m);

/// Throws TypeError if the object is made already. Reading a constructor's arguments runs Python code, which
/// may call the constructor of the same object, and so may another thread.
void require_unmade(const MadeObject& object);

template <class Class, class Make, class Made, class... Args, class... Extra>
void def_maker(Class& cls, const char* name, Make make, Made (*)(Args...), const Extra&... extra) {
  cls.def(
      name,
      [make](MadeObject& object, Args... args) {
        typename Class::holder_type made = make(std::forward<Args>(args)...);
        require_unmade(object);
        py::detail::initimpl::construct<Class>(object, std::move(made), false);
      },
      py::detail::is_new_style_constructor(), extra...);
}

/// Binds a constructor; `make` returns the class's holder.
template <class Class, class Make, class... Extra>
void def_init(Class& cls, Make make, const Extra&... extra) {
  using Signature = py::detail::function_signature_t<Make>;
  def_maker(cls, "__init__", std::move(make), static_cast<Signature*>(nullptr), extra...);
}

/// Binds pickling; `set` returns the class's holder.
template <class Class, class Get, class Set>
void def_pickle(Class& cls, Get get, Set set) {
  cls.def("__getstate__", std::move(get), py::pos_only());
  using Signature = py::detail::function_signature_t<Set>;
  def_maker(cls, "__setstate__", std::move(set), static_cast<Signature*>(nullptr));
}

}  // namespace fastaudio::bindings
