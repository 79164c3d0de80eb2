#include "core/compose/sequential.hpp"

#include <cmath>
#include <numeric>

namespace fastaudio {

namespace {

/// Of a node that sees the input through another.
Locality through(const Locality& first, const Locality& second) {
  const std::int64_t rows = std::lcm(first.n_out, second.n_in);  // between the two, of a whole cycle
  const auto inputs = [&](std::int64_t n) { return (n * first.n_in + first.n_out - 1) / first.n_out; };
  return {.n_in = inputs(rows),
          .n_out = rows / second.n_in * second.n_out,
          .before = first.before + inputs(second.before),
          .after = first.after + inputs(second.after - 1),
          .divisible = first.divisible && second.divisible};
}

const StreamSpec& only_output(const Node& node, const std::vector<Output>& outputs) {
  if (outputs.size() == 1) return outputs.front().spec;
  std::string names;
  for (const Output& output : outputs) names += (names.empty() ? "'" : ", '") + output.name + "'";
  throw ValueError(node.summary() + ": expected one output to go on with, got " + names +
                   "; choose one with node[name]");
}

/// Hands what one stream produces to the next.
class Link final : public Sink {
 public:
  Stream* next = nullptr;
  Sink* out = nullptr;
  void write(std::size_t, const float* rows, std::size_t n_rows) override { next->push(rows, n_rows, *out); }
};

class SequentialStream final : public Stream {
 public:
  explicit SequentialStream(std::vector<std::unique_ptr<Stream>> streams)
      : streams_(std::move(streams)), links_(streams_.size() - 1) {
    for (std::size_t i = 0; i + 1 < streams_.size(); ++i) {
      links_[i].next = streams_[i + 1].get();
      if (i + 1 < links_.size()) links_[i].out = &links_[i + 1];
    }
  }

 private:
  Sink& sink_of(std::size_t i, Sink& last) {
    if (i == links_.size()) return last;
    links_.back().out = &last;
    return links_[i];
  }

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    streams_.front()->push(rows, n_rows, sink_of(0, sink));
  }

  void do_settle(Sink& sink) override {
    for (std::size_t i = 0; i < streams_.size(); ++i) streams_[i]->settle(sink_of(i, sink));
  }

  void do_flush(Sink& sink) override {
    for (std::size_t i = 0; i < streams_.size(); ++i) streams_[i]->flush(sink_of(i, sink));
  }

  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Link> links_;
};

}  // namespace

Sequential::Sequential(const std::vector<NodePtr>& nodes) {
  for (const NodePtr& node : nodes) {
    for (const NodePtr& part : node->parts()) nodes_.push_back(part);
  }
  if (nodes_.empty()) throw ValueError("Sequential: expected at least one node, got none");
  if (const auto first = input()) outputs(*first);
}

std::string Sequential::repr() const {
  std::string text;
  for (const NodePtr& node : nodes_) text += (text.empty() ? "" : " >> ") + node->repr();
  return text;
}

std::optional<StreamSpec> Sequential::input() const {
  if (const auto spec = nodes_.front()->input()) return spec;
  const bool clips = nodes_.size() > 1 && nodes_.front()->cuts_clips();
  return clips ? nodes_[1]->clip() : std::nullopt;
}

/// Of one node. Rows don't tell the rate of what they were cut out of: it is checked where they are.
std::vector<Output> Sequential::outputs_of(std::size_t i, const StreamSpec& input) const {
  if (i + 1 < nodes_.size() && nodes_[i]->cuts_clips()) {
    const auto clip = nodes_[i + 1]->clip();
    if (clip && !same_rate(clip->rate_hz, input.rate_hz)) {
      throw ValueError(nodes_[i + 1]->summary() + ": expected clips cut out of rows " + to_string(*clip) +
                       ", got " + to_string(input) + "; use Resample before they are cut");
    }
  }
  return nodes_[i]->outputs(input);
}

std::vector<Output> Sequential::outputs(const StreamSpec& input) const {
  std::vector<Output> outputs = outputs_of(0, input);
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    outputs = outputs_of(i, only_output(*nodes_[i - 1], outputs));
  }
  return outputs;
}

std::unique_ptr<Stream> Sequential::open(const StreamSpec& input) const {
  std::vector<std::unique_ptr<Stream>> streams;
  StreamSpec spec = input;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    streams.push_back(nodes_[i]->open(spec));
    if (i + 1 < nodes_.size()) spec = only_output(*nodes_[i], outputs_of(i, spec));
  }
  return std::make_unique<SequentialStream>(std::move(streams));
}

std::optional<Locality> Sequential::locality() const {
  std::optional<Locality> all = nodes_.front()->locality();
  for (std::size_t i = 1; all && i < nodes_.size(); ++i) {
    const auto next = nodes_[i]->locality();
    all = next ? std::optional(through(*all, *next)) : std::nullopt;
  }
  return all;
}

double Sequential::receptive_field_s(const StreamSpec& input) const {
  StreamSpec spec = input;
  double all_s = nodes_.front()->receptive_field_s(spec);
  for (std::size_t i = 1; std::isfinite(all_s) && i < nodes_.size(); ++i) {
    spec = only_output(*nodes_[i - 1], outputs_of(i - 1, spec));
    all_s += nodes_[i]->receptive_field_s(spec) - 1 / spec.rate_hz;  // one of its inputs is in all_s
  }
  return all_s;
}

}  // namespace fastaudio
