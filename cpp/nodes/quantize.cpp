#include "nodes/quantize.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/support/row_stream.hpp"

namespace fastaudio {

void Quantize::check(const Options& options) {
  constexpr double kNarrowest = 1e-12;  // keeps the output finite
  if (options.max - options.min >= kNarrowest) return;
  detail::throw_outside(name, "max", "at least 1e-12 above min = " + format(options.min),
                        format(options.max));
}

std::vector<Output> Quantize::describe(const StreamSpec& input) const {
  StreamSpec spec = input;
  spec.unit = "quantized";
  return {{"", spec}};
}

std::unique_ptr<Stream> Quantize::open(const StreamSpec& input) const {
  const double low = options().min;
  const double high = options().max;
  const double gain = ((1 << options().bits) - 1) / (high - low);
  const auto quantize = [=, size = input.row_size(), down = options().rounding == "down"](const float* row,
                                                                                          float* out) {
    for (std::size_t i = 0; i < size; ++i) {
      const double level = (std::clamp(static_cast<double>(row[i]), low, high) - low) * gain;
      out[i] = static_cast<float>(down ? std::floor(level) : std::nearbyint(level));
    }
  };
  return stream_of_rows(quantize, input, outputs(input).front());
}

}  // namespace fastaudio
