/// Binds the nodes that are listed in nodes/all.hpp.
#pragma once

#include <utility>
#include <vector>

#include "bindings/options.hpp"
#include "core/budget.hpp"

namespace fastaudio::bindings {

/// Warns in Python of bands that no bin falls into, unless all options are default: those are a published
/// front end's.
void warn_empty_bands(const Node& node, const char* name, const std::vector<int>& bands);

/// CMakeLists.txt makes a source for each header of nodes, which instantiates this for the nodes there.
template <class N>
void bind_listed(py::module_& m) {
  bind_node<N>(
      m,
      [](typename N::Options options) {
        const Budget::At at(N::name);
        return unlocked([&] {
          const Budget::Building building;
          return std::make_shared<N>(std::move(options));
        });
      },
      [](const N& node) {
        if constexpr (requires { node.empty_bands(); }) warn_empty_bands(node, N::name, node.empty_bands());
      });
}

}  // namespace fastaudio::bindings
