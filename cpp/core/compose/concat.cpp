#include "core/compose/concat.hpp"

#include "core/budget.hpp"
#include "core/compose/join_stream.hpp"

namespace fastaudio {

Concat::Concat(std::vector<NodePtr> branches, Options o)
    : CompositeOf(std::move(branches), o, name, o.rate_of, o.align == "average") {
  const std::size_t n = children().size();
  if (n == 0) throw ValueError("Concat: expected at least one branch, got none");
  if (o.rate_of && static_cast<std::size_t>(*o.rate_of) >= n) {
    throw ValueError("Concat: expected rate_of below " + std::to_string(n) +
                     ", the number of branches, got " + std::to_string(*o.rate_of));
  }
  check_input();
}

std::string Concat::summary() const {
  const std::size_t n = children().size();
  return "Concat(" + std::to_string(n) + (n == 1 ? " branch)" : " branches)");
}

std::vector<AlignedRows> Concat::aligned(const StreamSpec& input) const {
  std::vector<AlignedRows> rows;
  for (const Child& branch : children()) {
    auto outputs = branch.node->outputs(input);
    const std::string who = "branch " + branch.name + ", " + short_name(*branch.node);
    if (outputs.size() != 1) {
      throw ValueError("Concat: expected branches with one output, got " + std::to_string(outputs.size()) +
                       " from " + who + "; choose one with node[name], or begin a branch for each");
    }
    rows.push_back({who, std::move(outputs.front().spec)});
  }
  return rows;
}

void Concat::join_specs(const std::vector<AlignedRows>& rows, StreamSpec& spec) const {
  std::int64_t size = 0;
  for (const AlignedRows& branch : rows) {
    size += static_cast<std::int64_t>(branch.spec.row_size());
    if (branch.spec.unit != spec.unit) spec.unit = "";
  }
  spec.shape = {size};
}

std::unique_ptr<Stream> Concat::open(const StreamSpec& input) const {
  const auto rows = aligned(input);
  std::vector<JoinStream::Branch> streams;
  for (const Child& branch : children()) {
    const Budget::At at(branch.node->type());
    streams.push_back({branch.node->open(input), {streams.size()}});
  }
  std::vector<std::size_t> sizes;
  for (const AlignedRows& branch : rows) sizes.push_back(branch.spec.row_size());
  const auto join = [sizes](const float* const* in, float* out) {
    for (std::size_t s = 0; s < sizes.size(); ++s) out = std::copy_n(in[s], sizes[s], out);
  };
  return std::make_unique<JoinStream>(alignment(rows), std::move(streams), rows, input,
                                      outputs(input).front().spec.row_size(), join);
}

}  // namespace fastaudio
