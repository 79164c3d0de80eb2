#include "nodes/stack_channels.hpp"

#include <algorithm>

#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

std::vector<Output> StackChannels::describe(const StreamSpec& input) const {
  require_memory(name, static_cast<std::size_t>(options().channels), input, "number of channels");
  StreamSpec spec = input;
  if (options().axis == "first") {
    spec.shape.insert(spec.shape.begin(), options().channels);
  } else {
    spec.shape.push_back(options().channels);
  }
  if (options().axis == "last" || spec.kind == StreamSpec::Kind::spectrum) spec.clear_axis();
  return {{"", spec}};
}

std::unique_ptr<Stream> StackChannels::open(const StreamSpec& input) const {
  const Output output = outputs(input).front();
  const auto channels = static_cast<std::size_t>(options().channels);
  const auto stack = [channels, size = input.row_size(), first = options().axis == "first"](const float* row,
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
