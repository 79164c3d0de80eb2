#include "nodes/stack_channels.hpp"

#include <algorithm>

#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

StackChannels::StackChannels(Options options) : options_(std::move(options)) {
  check_options(name, options_);
}

std::vector<Output> StackChannels::outputs(const StreamSpec& input) const {
  require_memory(name, static_cast<std::size_t>(options_.channels), input, "number of channels");
  StreamSpec spec = input;
  if (options_.axis == "first") {
    spec.shape.insert(spec.shape.begin(), options_.channels);
  } else {
    spec.shape.push_back(options_.channels);
    spec.labels.clear();  // they were the last axis's
  }
  spec.bin_hz = 0;
  return {{"", spec}};
}

std::unique_ptr<Stream> StackChannels::open(const StreamSpec& input) const {
  const Output output = outputs(input).front();
  const auto channels = static_cast<std::size_t>(options_.channels);
  const auto stack = [channels, size = input.row_size(), first = options_.axis == "first"](const float* row,
                                                                                           float* out) {
    if (first) {
      for (std::size_t c = 0; c < channels; ++c) std::copy_n(row, size, out + c * size);
    } else {
      for (std::size_t i = 0; i < size; ++i) std::fill_n(out + i * channels, channels, row[i]);
    }
  };
  return stream_of_rows(stack, input, output);
}

}  // namespace fastaudio
