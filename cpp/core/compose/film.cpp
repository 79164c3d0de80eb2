#include "core/compose/film.hpp"

#include <limits>

#include "core/compose/join_stream.hpp"

namespace fastaudio {

namespace {

constexpr int kContent = 0;

class FilmStream final : public JoinStream {
 public:
  FilmStream(Alignment alignment, std::vector<Branch> branches, const std::vector<Source>& sources,
             const StreamSpec& input)
      : JoinStream(std::move(alignment), std::move(branches), sources, input,
                   sources[kContent].spec.row_size()),
        size_(sources[kContent].spec.row_size()) {}

 private:
  void join(const float* const* rows, float* out) const override {
    const float *content = rows[kContent], *gamma = rows[1], *beta = rows[2];
    for (std::size_t k = 0; k < size_; ++k) out[k] = gamma[k] * content[k] + beta[k];
  }

  std::size_t size_;
};

}  // namespace

Film::Film(NodePtr content, NodePtr condition, Options options)
    : Branched({{"content", std::move(content)}, {"condition", std::move(condition)}}),
      options_(std::move(options)) {
  check_options(name, options_);
  check_input(name);
}

std::string Film::repr() const {
  std::string text = "Film(content=" + content()->repr() + ", condition=" + condition()->repr();
  if (options_.align != Options{}.align) text += ", align=" + format(options_.align);
  return text + ")";
}

std::vector<Source> Film::sources(const StreamSpec& input, std::size_t& gamma) const {
  auto content = this->content()->outputs(input);
  if (content.size() != 1) {
    throw ValueError("Film: expected a content with one output, got " + std::to_string(content.size()) +
                     " from " + short_name(*this->content()) + "; choose one with node[name]");
  }
  auto condition = this->condition()->outputs(input);
  const auto is = [&](std::size_t o, const char* wanted) { return condition[o].name == wanted; };
  const bool two = condition.size() == 2;
  gamma = two && is(1, "gamma") ? 1 : 0;
  if (!two || !is(gamma, "gamma") || !is(1 - gamma, "beta")) {
    std::string got;
    for (const Output& output : condition) got += (got.empty() ? "" : ", ") + format(output.name);
    throw ValueError("Film: expected a condition with outputs 'gamma' and 'beta', got " +
                     (got == "''" ? "one" : got) + " from " + short_name(*this->condition()) +
                     "; end it with {'gamma': ..., 'beta': ...}");
  }
  std::vector<Source> sources{
      {"the content", content.front().spec},
      {"gamma", condition[gamma].spec},
      {"beta", condition[1 - gamma].spec},
  };
  for (const Source& source : sources) {
    if (source.spec.shape != sources[kContent].spec.shape) {
      throw ValueError("Film: expected " + source.name + " with the content's shape, " +
                       to_string(sources[kContent].spec) + ", got " + to_string(source.spec) +
                       "; Concat(branch) makes a vector of any row");
    }
  }
  return sources;
}

Alignment Film::alignment(const std::vector<Source>& sources) const {
  return Alignment(name, sources, kContent, options_.align == "average");
}

std::vector<Output> Film::outputs(const StreamSpec& input) const {
  std::size_t gamma = 0;
  const auto sources = this->sources(input, gamma);
  StreamSpec spec = sources[kContent].spec;
  spec.latency_s = alignment(sources).latency_s(sources);
  spec.unit = "";
  spec.clear_axis();
  return {{"", spec}};
}

std::unique_ptr<Stream> Film::open(const StreamSpec& input) const {
  std::size_t gamma = 0;
  const auto sources = this->sources(input, gamma);
  std::vector<JoinStream::Branch> streams;
  streams.push_back({content()->open(input), {0}});
  streams.push_back({condition()->open(input),
                     gamma == 0 ? std::vector<std::size_t>{1, 2} : std::vector<std::size_t>{2, 1}});
  return std::make_unique<FilmStream>(alignment(sources), std::move(streams), sources, input);
}

std::optional<Alignment::Reach> Film::reach() const {
  const auto content = this->content()->locality(), condition = this->condition()->locality();
  if (!content || !condition) return std::nullopt;
  return Alignment::reach({*content, *condition}, kContent, options_.align == "average");
}

std::optional<Locality> Film::locality() const {
  const auto reach = this->reach();
  return reach ? std::optional(reach->locality) : std::nullopt;
}

double Film::receptive_field_s(const StreamSpec& input) const {
  const auto reach = this->reach();
  return reach ? reach->most / input.rate_hz : std::numeric_limits<double>::infinity();
}

}  // namespace fastaudio
