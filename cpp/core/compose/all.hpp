/// The one list of composites.
#pragma once

#include <tuple>
#include <type_traits>

#include "core/compose/concat.hpp"
#include "core/compose/each.hpp"
#include "core/compose/film.hpp"
#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"

namespace fastaudio {

// clang-format off: one per line, so that a new one is a line
using AllComposites = std::tuple<
    std::type_identity<Sequential>,
    std::type_identity<Parallel>,
    std::type_identity<Each>,
    std::type_identity<Concat>,
    std::type_identity<Film>
>;
// clang-format on

}  // namespace fastaudio
