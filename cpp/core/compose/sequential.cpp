#include "core/compose/sequential.hpp"

#include <cmath>

#include "core/budget.hpp"
#include "core/checked.hpp"
#include "core/extent.hpp"
#include "core/levels.hpp"

namespace fastaudio {

namespace {

/// The locality of `second` applied after `first`; none if a cycle is longer than what can be counted.
std::optional<Locality> through(const Locality& first, const Locality& second) {
  const Checked rows = lcm(Checked(first.n_out), second.n_in);  // between the two, in a whole cycle
  const auto inputs = [&](Checked n) { return (n * first.n_in + first.n_out - 1) / first.n_out; };
  const Checked n_in = inputs(rows);
  const Checked n_out = rows / second.n_in * second.n_out;
  const Checked before = inputs(second.before) + first.before;
  const Checked after = inputs(second.after - 1) + first.after;
  if (!n_in.ok() || !n_out.ok() || !before.ok() || !after.ok()) return std::nullopt;
  return Locality{.n_in = n_in.value(),
                  .n_out = n_out.value(),
                  .before = before.value(),
                  .after = after.value(),
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

class SequentialStream final : public Stream, public LevelReader, public ExtentReader {
 public:
  explicit SequentialStream(std::vector<std::unique_ptr<Stream>> streams)
      : streams_(std::move(streams)), links_(streams_.size() - 1) {
    for (std::size_t i = 0; i + 1 < streams_.size(); ++i) {
      links_[i].next = streams_[i + 1].get();
      if (i + 1 < links_.size()) links_[i].out = &links_[i + 1];
    }
    read(std::shared_ptr<Levels>(), 0);
    read(std::shared_ptr<const Extent>(), 0);
  }

  void read(const std::shared_ptr<Levels>& levels, double base_s) override {
    std::shared_ptr<Levels> known = levels;
    for (const auto& stream : streams_) {
      give_levels(known, base_s, *stream);
      auto after = levels_after(known, *stream);
      if (after != known) base_s = 0;  // those of a source in here begin with it
      known = std::move(after);
    }
  }

  void read(const std::shared_ptr<const Extent>& extent, double base_s) override {
    std::shared_ptr<const Extent> known = extent;
    for (const auto& stream : streams_) {
      give_extent(known, base_s, *stream);
      auto after = extent_after(known, *stream);
      if (after != known) base_s = 0;
      known = std::move(after);
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

std::vector<NodePtr> flattened(const std::vector<NodePtr>& nodes) {
  std::vector<NodePtr> flat;
  for (const NodePtr& node : nodes) {
    for (const NodePtr& part : node->parts()) flat.push_back(part);
  }
  if (flat.empty()) throw ValueError("Sequential: expected at least one node, got none");
  return flat;
}

}  // namespace

Sequential::Sequential(const std::vector<NodePtr>& nodes, Options o) : CompositeOf(flattened(nodes), o) {
  check_input();
}

std::string Sequential::repr() const {
  std::string text;
  for (const Child& step : children()) text += (text.empty() ? "" : " >> ") + step.node->repr();
  return text;
}

std::vector<Output> Sequential::outputs(const StreamSpec& input) const {
  std::vector<Output> outputs = child(0)->outputs(input);
  for (std::size_t i = 1; i < children().size(); ++i) {
    outputs = child(i)->outputs(only_output(*child(i - 1), outputs));
  }
  return outputs;
}

std::unique_ptr<Stream> Sequential::open(const StreamSpec& input) const {
  std::vector<std::unique_ptr<Stream>> streams;
  const auto open = [&](const Node& step, const StreamSpec& spec) {
    const Budget::At at(step.type());
    streams.push_back(step.open(spec));
  };
  open(*child(0), input);
  StreamSpec spec = input;
  for (std::size_t i = 1; i < children().size(); ++i) {
    spec = only_output(*child(i - 1), child(i - 1)->outputs(spec));
    open(*child(i), spec);
  }
  return std::make_unique<SequentialStream>(std::move(streams));
}

std::optional<Locality> Sequential::locality() const {
  std::optional<Locality> all = child(0)->locality();
  for (std::size_t i = 1; all && i < children().size(); ++i) {
    const auto next = child(i)->locality();
    all = next ? through(*all, *next) : std::nullopt;
  }
  return all;
}

double Sequential::receptive_field_s(const StreamSpec& input) const {
  StreamSpec spec = input;
  double all_s = child(0)->receptive_field_s(spec);
  for (std::size_t i = 1; std::isfinite(all_s) && i < children().size(); ++i) {
    spec = only_output(*child(i - 1), child(i - 1)->outputs(spec));
    all_s += child(i)->receptive_field_s(spec) - 1 / spec.rate_hz;  // one of its inputs is in all_s
  }
  return all_s;
}

}  // namespace fastaudio
