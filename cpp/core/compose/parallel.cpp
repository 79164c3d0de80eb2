#include "core/compose/parallel.hpp"

#include <algorithm>
#include <numeric>

#include "core/options.hpp"

namespace fastaudio {

namespace {

/// Moves a branch's outputs to their place among all.
class Shifted final : public Sink {
 public:
  Shifted(std::size_t first, Sink& sink) : first_(first), sink_(sink) {}
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

class ParallelStream final : public Stream {
 public:
  explicit ParallelStream(std::vector<BranchStream> branches) : branches_(std::move(branches)) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (BranchStream& branch : branches_) {
      Shifted shifted(branch.first_output, sink);
      branch.stream->push(rows, n_rows, shifted);
    }
  }

  void do_settle(Sink& sink) override {
    for (BranchStream& branch : branches_) {
      Shifted shifted(branch.first_output, sink);
      branch.stream->settle(shifted);
    }
  }

  void do_flush(Sink& sink) override {
    for (BranchStream& branch : branches_) {
      Shifted shifted(branch.first_output, sink);
      branch.stream->flush(shifted);
    }
  }

  std::vector<BranchStream> branches_;
};

}  // namespace

Parallel::Parallel(std::vector<Branch> branches) : Branched(std::move(branches)) {
  const auto& all = this->branches();
  if (all.empty()) throw ValueError("Parallel: expected at least one branch, got none");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string& name = all[i].first;
    if (name.empty()) throw ValueError("Parallel: expected a name for each branch, got ''");
    for (std::size_t j = 0; j < i; ++j) {
      if (all[j].first == name) {
        throw ValueError("Parallel: expected different names, got " + format(name) + " twice");
      }
    }
  }
  check_input(name);
}

std::string Parallel::repr() const {
  std::string text;
  for (const Branch& branch : branches()) {
    text += (text.empty() ? "" : ", ") + format(branch.first) + ": " + branch.second->repr();
  }
  return "Parallel({" + text + "})";
}

/// Of branches whose rows begin together: a cycle of all is one of each.
std::optional<Locality> Parallel::locality() const {
  std::optional<Locality> all = branches().front().second->locality();
  for (const auto& [name, branch] : branches()) {
    const auto near = branch->locality();
    if (!all || !near || near->n_in * all->n_out != all->n_in * near->n_out) return std::nullopt;
    all->n_in = std::lcm(all->n_in, near->n_in);
    all->n_out = all->n_in / near->n_in * near->n_out;
    all->before = std::max(all->before, near->before);
    all->after = std::max(all->after, near->after);
    all->divisible = all->divisible && near->divisible;
  }
  return all;
}

double Parallel::receptive_field_s(const StreamSpec& input) const {
  double most_s = 0;
  for (const Branch& branch : branches()) most_s = std::max(most_s, branch.second->receptive_field_s(input));
  return most_s;
}

std::vector<Output> Parallel::outputs(const StreamSpec& input) const {
  std::vector<Output> all;
  for (const Branch& branch : branches()) {
    auto outputs = branch.second->outputs(input);
    for (Output& output : outputs) {
      output.name = outputs.size() == 1 ? branch.first : branch.first + "." + output.name;
      for (const Output& other : all) {
        if (other.name == output.name) {
          throw ValueError("Parallel: expected different output names, got " + format(output.name) +
                           " twice");
        }
      }
      all.push_back(std::move(output));
    }
  }
  return all;
}

std::unique_ptr<Stream> Parallel::open(const StreamSpec& input) const {
  std::vector<BranchStream> streams;
  std::size_t first = 0;
  for (const Branch& branch : branches()) {
    streams.push_back({branch.second->open(input), first});
    first += branch.second->outputs(input).size();
  }
  return std::make_unique<ParallelStream>(std::move(streams));
}

}  // namespace fastaudio
