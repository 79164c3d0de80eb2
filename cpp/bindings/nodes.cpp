#include "nodes/all.hpp"

#include "bindings/options.hpp"

namespace fastaudio::bindings {

namespace {

void warn_empty_bands(const char* node, const std::vector<int>& bands) {
  std::string text;
  for (const int band : bands) text += (text.empty() ? "" : ", ") + std::to_string(band);
  const std::string message = std::string(node) + ": bands [" + text +
                              "] are narrower than a bin and stay empty; use a longer n_fft or fewer bands";
  if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) != 0) throw py::error_already_set();
}

template <class N>
void bind(py::module_& m) {
  bind_node<N>(m, [](typename N::Options options) {
    auto node = std::make_shared<N>(std::move(options));
    if constexpr (requires { node->empty_bands(); }) {
      const auto bands = node->empty_bands();
      if (!bands.empty()) warn_empty_bands(N::name, bands);
    }
    return node;
  });
}

}  // namespace

void register_nodes(py::module_& m, NodeClass&) {
  [&]<class... N>(std::type_identity<std::tuple<std::type_identity<N>...>>) {
    (bind<N>(m), ...);
  }(std::type_identity<AllNodes>{});
}

}  // namespace fastaudio::bindings
