#include "core/compose/film.hpp"

#include "core/compose/join_stream.hpp"

namespace fastaudio {

namespace {

constexpr int kContent = 0, kCondition = 1;

/// Which of the condition's outputs is gamma; the other one is beta. Throws ValueError if they aren't these.
std::size_t find_gamma(const Node& condition, const std::vector<Output>& outputs) {
  std::string got;
  for (const Output& output : outputs) got += (got.empty() ? "" : ", ") + format(output.name);
  if (got == "'gamma', 'beta'") return 0;
  if (got == "'beta', 'gamma'") return 1;
  throw ValueError("Film: expected a condition with outputs 'gamma' and 'beta', got " +
                   (got == "''" ? "one" : got) + " from " + short_name(condition) +
                   "; end it with {'gamma': ..., 'beta': ...}");
}

}  // namespace

Film::Film(NodePtr content, NodePtr condition, Options o)
    : CompositeOf(std::vector{std::move(content), std::move(condition)}, o, name, kContent,
                  o.align == "average") {
  check_input();
}

std::vector<AlignedRows> Film::aligned(const StreamSpec& input) const {
  const auto content = child(kContent)->outputs(input);
  if (content.size() != 1) {
    throw ValueError("Film: expected a content with one output, got " + std::to_string(content.size()) +
                     " from " + short_name(*child(kContent)) + "; choose one with node[name]");
  }
  const auto condition = child(kCondition)->outputs(input);
  const std::size_t gamma = find_gamma(*child(kCondition), condition);
  std::vector<AlignedRows> all{
      {"the content", content.front().spec},
      {"gamma", condition[gamma].spec},
      {"beta", condition[1 - gamma].spec},
  };
  for (const AlignedRows& rows : all) {
    if (rows.spec.shape != all[kContent].spec.shape) {
      throw ValueError("Film: expected " + rows.name + " with the content's shape, " +
                       to_string(all[kContent].spec) + ", got " + to_string(rows.spec) +
                       "; Concat(branch) makes a vector of any row");
    }
  }
  return all;
}

void Film::join_specs(const std::vector<AlignedRows>&, StreamSpec& spec) const { spec.unit = ""; }

std::unique_ptr<Stream> Film::open(const StreamSpec& input) const {
  const auto rows = aligned(input);
  const std::size_t gamma = find_gamma(*child(kCondition), child(kCondition)->outputs(input));
  std::vector<JoinStream::Branch> streams;
  streams.push_back({child(kContent)->open(input), {0}});
  streams.push_back({child(kCondition)->open(input),
                     gamma == 0 ? std::vector<std::size_t>{1, 2} : std::vector<std::size_t>{2, 1}});
  const std::size_t size = rows[kContent].spec.row_size();
  const auto join = [size](const float* const* in, float* out) {
    const float *content = in[0], *gains = in[1], *shifts = in[2];  // gamma and beta
    for (std::size_t k = 0; k < size; ++k) out[k] = gains[k] * content[k] + shifts[k];
  };
  return std::make_unique<JoinStream>(alignment(rows), std::move(streams), rows, input, size, join);
}

}  // namespace fastaudio
