#include "core/spec.hpp"

#include <cmath>
#include <cstdio>

#include "core/error.hpp"

namespace fastaudio {

bool same_rate(double a_hz, double b_hz) { return std::abs(a_hz - b_hz) <= 1e-9 * std::abs(a_hz); }

const char* name_of(StreamSpec::Kind kind) {
  constexpr const char* kNames[] = {"rows", "samples", "spectrum", "scores",
                                    "events"};  // in the enum's order
  return kNames[static_cast<std::size_t>(kind)];
}

void check_spec(const StreamSpec& spec) {
  if (!(spec.rate_hz >= 0) || std::isinf(spec.rate_hz)) {
    throw ValueError("rows: expected a finite rate in Hz, got " + std::to_string(spec.rate_hz));
  }
  if (!(spec.bin_hz >= 0) || std::isinf(spec.bin_hz)) {
    throw ValueError("rows: expected a finite bin_hz, not negative, got " + std::to_string(spec.bin_hz));
  }
  constexpr std::int64_t kLargest = std::int64_t{1} << 28;
  std::int64_t size = 1;
  for (const std::int64_t n : spec.shape) {
    if (n < 1 || n > kLargest / size) {
      throw ValueError("rows: expected from 1 to 2**28 values per row, got shape " + to_string(spec));
    }
    size *= n;
  }
}

void require_countable(const char* node, const StreamSpec& spec) {
  constexpr double kSlowest_hz = 1e-12;  // a row in 30,000 years
  if (spec.once() || spec.rate_hz >= kSlowest_hz) return;
  char rate[40];
  std::snprintf(rate, sizeof rate, "%.3g", spec.rate_hz);
  throw ValueError(std::string(node) + ": expected rows at 1e-12 Hz or more, got " + rate +
                   " Hz; choose smaller hops");
}

std::string to_string(const StreamSpec& spec) {
  char rate[40] = "once";
  if (!spec.once()) {
    const bool whole = spec.rate_hz == std::floor(spec.rate_hz);
    std::snprintf(rate, sizeof rate, whole ? "%.0f Hz" : "%.3g Hz", spec.rate_hz);
  }
  std::string text = std::string("[") + rate;
  for (const std::int64_t n : spec.shape) text += ", " + std::to_string(n);
  return text + "]";
}

}  // namespace fastaudio
