#include "core/compose/parallel.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "core/checked.hpp"
#include "core/extent.hpp"
#include "core/levels.hpp"

namespace fastaudio {

namespace {

/// Adds an offset to the index of each output: a branch's outputs follow those of the branches before it.
class OffsetSink final : public Sink {
 public:
  OffsetSink(std::size_t first, Sink& sink) : first_(first), sink_(sink) {}
  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    sink_.write(first_ + output, rows, n_rows);
  }

 private:
  std::size_t first_;
  Sink& sink_;
};

struct BranchStream {
  std::unique_ptr<Stream> stream;
  std::size_t first_output;
};

class ParallelStream final : public Stream, public LevelReader, public ExtentReader {
 public:
  explicit ParallelStream(std::vector<BranchStream> branches) : branches_(std::move(branches)) {}

  void read(const std::shared_ptr<Levels>& levels, double base_s) override {
    for (const BranchStream& branch : branches_) give_levels(levels, base_s, *branch.stream);
  }

  void read(const std::shared_ptr<const Extent>& extent, double base_s) override {
    for (const BranchStream& branch : branches_) give_extent(extent, base_s, *branch.stream);
  }

 private:
  template <class Call>
  void run_branches(Sink& sink, Call&& call) {
    for (BranchStream& branch : branches_) {
      OffsetSink outputs(branch.first_output, sink);
      call(*branch.stream, outputs);
    }
  }

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    run_branches(sink, [&](Stream& stream, Sink& outputs) { stream.push(rows, n_rows, outputs); });
  }

  void do_settle(Sink& sink) override {
    run_branches(sink, [](Stream& stream, Sink& outputs) { stream.settle(outputs); });
  }

  void do_flush(Sink& sink) override {
    run_branches(sink, [](Stream& stream, Sink& outputs) { stream.flush(outputs); });
  }

  std::vector<BranchStream> branches_;
};

}  // namespace

Parallel::Parallel(std::vector<NamedNode> branches, Options o) : CompositeOf(std::move(branches), o) {
  const auto all = children();
  if (all.empty()) throw ValueError("Parallel: expected at least one branch, got none");
  std::unordered_set<std::string_view> seen;
  for (const Child& branch : all) {
    if (branch.name.empty()) throw ValueError("Parallel: expected a name for each branch, got ''");
    if (!seen.insert(branch.name).second) {
      throw ValueError("Parallel: expected different names, got " + format(branch.name) + " twice");
    }
  }
  check_input();
}

/// None unless all branches have one rate. Its cycle then holds whole cycles of every branch.
std::optional<Locality> Parallel::locality() const {
  std::optional<Locality> all = child(0)->locality();
  for (const Child& branch : children()) {
    const auto near = branch.node->locality();
    if (!all || !near) return std::nullopt;
    const Checked mine = Checked(near->n_in) * all->n_out;
    const Checked others = Checked(all->n_in) * near->n_out;
    if (!mine.ok() || !others.ok() || mine.value() != others.value()) return std::nullopt;
    const Checked n_in = lcm(Checked(all->n_in), near->n_in);
    const Checked n_out = n_in / near->n_in * near->n_out;
    if (!n_in.ok() || !n_out.ok()) return std::nullopt;
    all->n_in = n_in.value();
    all->n_out = n_out.value();
    all->before = std::max(all->before, near->before);
    all->after = std::max(all->after, near->after);
    all->divisible = all->divisible && near->divisible;
  }
  return all;
}

double Parallel::receptive_field_s(const StreamSpec& input) const {
  double most_s = 0;
  for (const Child& branch : children()) most_s = std::max(most_s, branch.node->receptive_field_s(input));
  return most_s;
}

std::vector<Output> Parallel::outputs(const StreamSpec& input) const {
  std::vector<Output> all;
  std::unordered_set<std::string> seen;
  for (const Child& branch : children()) {
    auto outputs = branch.node->outputs(input);
    for (Output& output : outputs) {
      output.name = outputs.size() == 1 ? branch.name : branch.name + "." + output.name;
      if (!seen.insert(output.name).second) {
        throw ValueError("Parallel: expected different output names, got " + format(output.name) + " twice");
      }
      all.push_back(std::move(output));
    }
  }
  return all;
}

std::unique_ptr<Stream> Parallel::open(const StreamSpec& input) const {
  std::vector<BranchStream> streams;
  std::size_t first = 0;
  for (const Child& branch : children()) {
    streams.push_back({branch.node->open(input), first});
    first += branch.node->outputs(input).size();
  }
  return std::make_unique<ParallelStream>(std::move(streams));
}

}  // namespace fastaudio
