/// What nodes that read rows of a spectrum share.
#pragma once

#include <string>

#include "core/error.hpp"
#include "core/options.hpp"

namespace fastaudio {

/// Counts a value below 0, which no magnitude is, as 0; so sums can be divisors.
inline double magnitude(float value) { return value > 0 ? static_cast<double>(value) : 0.0; }

/// Throws unless rows are a spectrum in `unit`, "magnitude" or "power". Units that no node gives are
/// accepted.
inline void require_spectrum(const char* node, const StreamSpec& input, const std::string& unit) {
  const std::string subject = std::string(node) + ": expected ";
  const std::string remedy = std::string("Spectrogram(power=") + (unit == "power" ? "2" : "1") + ")";
  if (input.shape.size() != 1) {
    throw ValueError(subject + "a spectrum's rows [n_bins], got " +
                     (input.shape.empty() ? "samples " : "rows ") + to_string(input) + "; compose with " +
                     remedy);
  }
  const bool known =
      contains(Choices{"magnitude power ln log10 dB"}, input.unit) || input.unit.starts_with("magnitude ** ");
  if (known && input.unit != unit) {
    throw ValueError(subject + unit + ", got " + input.unit + "; compose with " + remedy);
  }
}

/// Throws unless the spec says which frequency each value belongs to.
inline void require_frequencies(const char* node, const StreamSpec& input) {
  if (input.kind == StreamSpec::Kind::spectrum) return;
  throw ValueError(std::string(node) + ": expected rows of a spectrum with its bin_hz, got rows " +
                   to_string(input) + " without; compose with Spectrogram, or open with " +
                   "StreamSpec(bin_hz=...)");
}

}  // namespace fastaudio
