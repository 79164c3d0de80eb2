#include "nodes/tags.hpp"

#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

void Tags::check(const Options& options) { require_labels(name, options.labels); }

std::string Tags::summary() const { return "Tags(" + std::to_string(options().labels.size()) + " labels)"; }

std::vector<Output> Tags::describe(const StreamSpec& input) const {
  const auto n = static_cast<std::int64_t>(options().labels.size());
  if (input.shape != std::vector<std::int64_t>{n}) {
    throw ValueError("Tags: expected rows of " + std::to_string(n) + " scores, got rows " + to_string(input) +
                     "; give one label for each score");
  }
  StreamSpec spec = input;
  spec.set_labels(options().labels);
  return {{"", spec}};
}

std::unique_ptr<Stream> Tags::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<PassStream>();
}

}  // namespace fastaudio
