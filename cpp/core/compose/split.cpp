#include "core/compose/split.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace fastaudio {

namespace {

/// Starting another thread doesn't pay for fewer input values than this.
constexpr std::int64_t kSmallestPart = 65536;

}  // namespace

std::vector<Part> split(const Node& node, const StreamSpec& input, std::int64_t n_inputs, int n_parts) {
  const auto near = n_parts > 1 ? node.locality() : std::nullopt;
  if (!near || !near->divisible || node.outputs(input).size() != 1) return {{.end_input = n_inputs}};
  // Long enough that no part meets both ends of the signal.
  const Checked smallest = max(Checked(4) * (Checked(near->before) + near->after + near->n_in),
                               kSmallestPart / static_cast<std::int64_t>(input.row_size()));
  if (!smallest.ok()) return {{.end_input = n_inputs}};
  const std::int64_t n = std::clamp<std::int64_t>(n_inputs / smallest.value(), 1, n_parts);
  const std::int64_t warm_up = (near->before + near->n_in - 1) / near->n_in;
  const std::size_t row_size = node.outputs(input).front().spec.row_size();
  std::vector<Part> parts;
  for (std::int64_t p = 0; p < n; ++p) {
    const std::int64_t start = n_inputs / near->n_in * p / n;  // in cycles of n_in
    const std::int64_t end = n_inputs / near->n_in * (p + 1) / n;
    const std::int64_t skip = p > 0 ? warm_up : 0;
    const bool last = p == n - 1;
    parts.push_back({.first_input = (start - skip) * near->n_in,
                     .end_input = last ? n_inputs : end * near->n_in + near->after,
                     .first_row = start * near->n_out,
                     .skip = skip * near->n_out,
                     .n_rows = last ? -1 : (end - start) * near->n_out,
                     .row_size = row_size});
  }
  return parts;
}

void PartSink::write(std::size_t output, const float* rows, std::size_t n_rows) {
  const std::size_t skipped = std::min(n_rows, skip_);
  skip_ -= skipped;
  const std::size_t n = std::min(n_rows - skipped, left_);
  left_ -= n;
  if (n > 0) out_.write(output, rows + skipped * row_size_, n);
}

float* PartSink::extend(std::size_t output, std::size_t n_rows) {
  if (skip_ > 0 || n_rows > left_) return nullptr;
  float* placed = out_.extend(output, n_rows);
  if (placed != nullptr) left_ -= n_rows;
  return placed;
}

}  // namespace fastaudio
