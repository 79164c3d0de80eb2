#include "core/compose/effort.hpp"

#include <algorithm>

namespace fastaudio {

namespace {

/// Rows of an output while `n_rows` of the input come.
double rows_out(const StreamSpec& input, const StreamSpec& output, double n_rows) {
  return output.once() || input.once() ? 1 : n_rows * output.rate_hz / input.rate_hz + 1;
}

double read_by_leaf(const Node& node, const StreamSpec& input, double n_rows) {
  const auto row_size = static_cast<double>(input.row_size());
  const auto near = node.locality();
  if (!near) return n_rows * row_size;
  const double n = n_rows * static_cast<double>(near->n_out) / static_cast<double>(near->n_in) + 1;
  return n * std::max(1.0, static_cast<double>(near->before) + static_cast<double>(near->after)) * row_size;
}

}  // namespace

double values_read(const Node& node, const StreamSpec& input, double n_rows) {
  if (node.children().empty()) return read_by_leaf(node, input, n_rows);
  double all = 0;
  StreamSpec spec = input;
  for (const Child& child : node.children()) {
    if (child.role == Role::clip) {
      const auto near = node.locality();  // of the cutting
      const auto clip = static_cast<double>(near->before + near->after);
      all += (n_rows / static_cast<double>(near->n_in) + 1) * values_read(*child.node, input, clip);
    } else if (child.role == Role::step) {
      all += values_read(*child.node, spec, n_rows);
      const StreamSpec next = child.node->outputs(spec).front().spec;
      n_rows = rows_out(spec, next, n_rows);
      spec = next;
    } else {
      all += values_read(*child.node, input, n_rows);
    }
  }
  return all;
}

}  // namespace fastaudio
