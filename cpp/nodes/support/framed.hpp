/// What comes out of nodes that make one number of each frame of samples.
#pragma once

#include <vector>

#include "nodes/support/require.hpp"

namespace fastaudio {

/// Throws ValueError unless the input is samples at `sample_rate`.
inline std::vector<Output> framed(const char* node, const StreamSpec& input, int sample_rate, int hop_length,
                                  const char* unit) {
  require_samples(node, input, sample_rate);
  StreamSpec spec;
  spec.rate_hz = sample_rate / static_cast<double>(hop_length);
  spec.shape = {1};
  spec.unit = unit;
  spec.span_s = 1 / spec.rate_hz;
  return {{"", spec}};
}

}  // namespace fastaudio
