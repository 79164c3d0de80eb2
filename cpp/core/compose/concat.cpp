#include "core/compose/concat.hpp"

#include <limits>

#include "core/compose/join_stream.hpp"

namespace fastaudio {

namespace {

std::vector<Branched::Branch> numbered(std::vector<NodePtr> nodes) {
  std::vector<Branched::Branch> branches;
  for (NodePtr& node : nodes) branches.emplace_back(std::to_string(branches.size()), std::move(node));
  return branches;
}

class ConcatStream final : public JoinStream {
 public:
  ConcatStream(Alignment alignment, std::vector<Branch> branches, const std::vector<Source>& sources,
               const StreamSpec& input, std::size_t row_size)
      : JoinStream(std::move(alignment), std::move(branches), sources, input, row_size) {
    for (const Source& source : sources) sizes_.push_back(source.spec.row_size());
  }

 private:
  void join(const float* const* rows, float* out) const override {
    for (std::size_t s = 0; s < sizes_.size(); ++s) out = std::copy_n(rows[s], sizes_[s], out);
  }

  std::vector<std::size_t> sizes_;
};

}  // namespace

Concat::Concat(std::vector<NodePtr> branches, Options options)
    : Branched(numbered(std::move(branches))), options_(std::move(options)) {
  check_options(name, options_);
  const std::size_t n = this->branches().size();
  if (n == 0) throw ValueError("Concat: expected at least one branch, got none");
  if (options_.rate_of && static_cast<std::size_t>(*options_.rate_of) >= n) {
    throw ValueError("Concat: expected rate_of below " + std::to_string(n) +
                     ", the number of branches, got " + std::to_string(*options_.rate_of));
  }
  check_input(name);
}

std::string Concat::repr() const {
  std::string text;
  for (const auto& [index, node] : branches()) text += (text.empty() ? "" : ", ") + node->repr();
  if (options_.rate_of) text += ", rate_of=" + format(*options_.rate_of);
  if (options_.align != Options{}.align) text += ", align=" + format(options_.align);
  return "Concat(" + text + ")";
}

std::string Concat::summary() const {
  const std::size_t n = branches().size();
  return "Concat(" + std::to_string(n) + (n == 1 ? " branch)" : " branches)");
}

std::vector<Source> Concat::sources(const StreamSpec& input) const {
  std::vector<Source> sources;
  for (const auto& [index, node] : branches()) {
    auto outputs = node->outputs(input);
    const std::string who = "branch " + index + ", " + short_name(*node);
    if (outputs.size() != 1) {
      throw ValueError("Concat: expected branches with one output, got " + std::to_string(outputs.size()) +
                       " from " + who + "; choose one with node[name], or begin a branch for each");
    }
    sources.push_back({who, std::move(outputs.front().spec)});
  }
  return sources;
}

Alignment Concat::alignment(const std::vector<Source>& sources) const {
  return Alignment(name, sources, options_.rate_of, options_.align == "average");
}

std::vector<Output> Concat::outputs(const StreamSpec& input) const {
  const auto sources = this->sources(input);
  const Alignment alignment = this->alignment(sources);
  StreamSpec spec = sources[alignment.rate_of()].spec;
  std::int64_t size = 0;
  for (const Source& source : sources) {
    size += static_cast<std::int64_t>(source.spec.row_size());
    if (source.spec.unit != spec.unit) spec.unit = "";
  }
  spec.shape = {size};
  spec.clear_axis();
  spec.latency_s = alignment.latency_s(sources);
  check_spec(spec);
  return {{"", spec}};
}

std::unique_ptr<Stream> Concat::open(const StreamSpec& input) const {
  const auto sources = this->sources(input);
  std::vector<JoinStream::Branch> streams;
  for (const auto& [index, node] : branches()) streams.push_back({node->open(input), {streams.size()}});
  return std::make_unique<ConcatStream>(alignment(sources), std::move(streams), sources, input,
                                        outputs(input).front().spec.row_size());
}

std::optional<Alignment::Reach> Concat::reach() const {
  std::vector<Locality> all;
  for (const auto& [index, node] : branches()) {
    const auto near = node->locality();
    if (!near) return std::nullopt;
    all.push_back(*near);
  }
  return Alignment::reach(all, options_.rate_of, options_.align == "average");
}

std::optional<Locality> Concat::locality() const {
  const auto reach = this->reach();
  return reach ? std::optional(reach->locality) : std::nullopt;
}

double Concat::receptive_field_s(const StreamSpec& input) const {
  const auto reach = this->reach();
  return reach ? reach->most / input.rate_hz : std::numeric_limits<double>::infinity();
}

}  // namespace fastaudio
