#include "nodes/support/window_options.hpp"

#include "nodes/support/require.hpp"

namespace fastaudio {

void check_windows(const char* node, std::optional<int> window, std::optional<int> hop) {
  if (window || !hop) return;
  throw ValueError(std::string(node) +
                   ": expected a window with hop, got None; set window, or leave hop out");
}

StreamSpec per_window(const char* node, const StreamSpec& input, StreamSpec spec, std::optional<int> window,
                      std::optional<int> hop) {
  if (!window) {
    spec.rate_hz = 0;
    spec.span_s = 0;
    return spec;
  }
  require_memory(node, static_cast<std::size_t>(*window), input, "window");
  if (!input.once()) {
    spec.rate_hz = input.rate_hz / hop.value_or(*window);
    spec.span_s += (*window - 1) / input.rate_hz;
  }
  return spec;
}

std::optional<Locality> window_locality(std::optional<int> window, std::optional<int> hop) {
  if (!window) return std::nullopt;
  return Locality{.n_in = hop.value_or(*window), .after = *window};
}

}  // namespace fastaudio
