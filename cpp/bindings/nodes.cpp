#include <algorithm>
#include <string>
#include <vector>

#include "bindings/bindings.hpp"
#include "nodes/list.hpp"

namespace fastaudio::bindings {

template <class N>
void bind_listed(py::module_& m);  // see nodes.hpp; its definition isn't needed here

void warn_empty_bands(const Node& node, const char* name, const std::vector<int>& bands) {
  if (bands.empty() || node.repr() == std::string(name) + "()") return;
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(bands.size(), kShown); ++i)
    text += (text.empty() ? "" : ", ") + std::to_string(bands[i]);
  if (bands.size() > kShown) text += ", ...";
  const std::string message = std::string(name) + ": bands [" + text +
                              "] are narrower than a bin and stay empty; use a longer n_fft or fewer bands";
  if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) != 0) throw py::error_already_set();
}

void register_nodes(py::module_& m) {
  m.def(
      "build_node",
      [](const py::type& cls, const py::typing::Dict<py::str, py::object>& options) -> std::shared_ptr<Node> {
        // As unpickling does; what isn't made whole is never seen.
        auto node = cls.attr("__new__")(cls);
        node.attr("__setstate__")(options);
        return node.cast<std::shared_ptr<Node>>();
      },
      py::arg("cls"), py::arg("options"),
      "Makes a node of options that belong to trained weights: it gives no warning of what can't be chosen.");
  [&]<class... N>(std::type_identity<std::tuple<std::type_identity<N>...>>) {
    (bind_listed<N>(m), ...);
  }(std::type_identity<AllNodes>{});
}

}  // namespace fastaudio::bindings
