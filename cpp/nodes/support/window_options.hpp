/// The options `window` and `hop` of nodes that make one row of each window of rows, or of the whole clip.
#pragma once

#include <optional>
#include <tuple>

#include "core/options.hpp"

namespace fastaudio {

/// The fields of these two, to be joined with a node's own.
template <class Options>
constexpr auto window_fields() {
  return std::tuple{
      Field{"window", &Options::window, Range{1, 1000000}, "rows",
            "Number of rows in a window; None for the whole clip."},
      Field{"hop", &Options::hop, Range{1, 1000000}, "rows",
            "Step between windows; None means the same as window, so that windows don't overlap."}};
}

/// Throws ValueError if a step between windows is given without their length.
void check_windows(const char* node, std::optional<int> window, std::optional<int> hop);

/// `spec`, which came from `input`, at the rate and time of clips or windows.
StreamSpec per_window(const char* node, const StreamSpec& input, StreamSpec spec, std::optional<int> window,
                      std::optional<int> hop);

/// Nothing for the whole clip.
std::optional<Locality> window_locality(std::optional<int> window, std::optional<int> hop);

}  // namespace fastaudio
