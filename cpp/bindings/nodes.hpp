/// Binds the nodes that are listed in nodes/all.hpp.
#pragma once

#include <utility>
#include <vector>

#include "bindings/options.hpp"

namespace fastaudio::bindings {

/// Warns in Python of bands that no bin falls into.
void warn_empty_bands(const char* node, const std::vector<int>& bands);

/// CMakeLists.txt makes a source for each header of nodes, which instantiates this for the nodes there.
template <class N>
void bind_listed(py::module_& m) {
  bind_node<N>(m, [](typename N::Options options) {
    auto node = std::make_shared<N>(std::move(options));
    if constexpr (requires { node->empty_bands(); }) warn_empty_bands(N::name, node->empty_bands());
    return node;
  });
}

}  // namespace fastaudio::bindings
