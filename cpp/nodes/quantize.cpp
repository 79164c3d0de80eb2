#include "nodes/quantize.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/support/row_stream.hpp"

namespace fastaudio {

Quantize::Quantize(Options options) : options_(std::move(options)) {
  constexpr double kNarrowest = 1e-12;  // keeps what comes out finite
  check_options(name, options_);
  if (options_.max - options_.min >= kNarrowest) return;
  detail::throw_outside(name, "max", "at least 1e-12 above min = " + format(options_.min),
                        format(options_.max));
}

std::vector<Output> Quantize::outputs(const StreamSpec& input) const {
  StreamSpec spec = input;
  spec.unit = "quantized";
  return {{"", spec}};
}

std::unique_ptr<Stream> Quantize::open(const StreamSpec& input) const {
  const double low = options_.min;
  const double high = options_.max;
  const double gain = ((1 << options_.bits) - 1) / (high - low);
  const auto quantize = [=, size = input.row_size(), down = options_.rounding == "down"](const float* row,
                                                                                         float* out) {
    for (std::size_t i = 0; i < size; ++i) {
      const double level = (std::clamp(static_cast<double>(row[i]), low, high) - low) * gain;
      out[i] = static_cast<float>(down ? std::floor(level) : std::nearbyint(level));
    }
  };
  return stream_of_rows(quantize, input, outputs(input).front());
}

}  // namespace fastaudio
