#include "core/spec.hpp"

#include <cmath>
#include <cstdio>

namespace fastaudio {

bool same_rate(double a_hz, double b_hz) { return std::abs(a_hz - b_hz) <= 1e-9 * std::abs(a_hz); }

std::string to_string(const StreamSpec& spec) {
  char rate[40] = "once";
  if (spec.rate_hz > 0) {
    const bool whole = spec.rate_hz == std::floor(spec.rate_hz);
    std::snprintf(rate, sizeof rate, whole ? "%.0f Hz" : "%.3g Hz", spec.rate_hz);
  }
  std::string text = std::string("[") + rate;
  for (const std::int64_t n : spec.shape) text += ", " + std::to_string(n);
  return text + "]";
}

}  // namespace fastaudio
