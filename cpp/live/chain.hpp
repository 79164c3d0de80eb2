/// A network opened part by part, with a clock at every joint.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/node.hpp"

namespace fastaudio::live {

/// What one part has done so far.
struct PartTime {
  std::string name;
  std::int64_t time_ns = 0;
};

/// Whether rows come at times known beforehand; events come when they come.
bool steady(const StreamSpec& spec);

/// Runs the parts of a node in a row, as Sequential does. Beyond that it tells what each part takes, may
/// hold rows back before the part that runs in batches, and may go on with another network's parts. One
/// thread at a time, but for `times` and `check_exchange`.
class Chain {
 public:
  /// With `hold`, rows stop before the first part that takes batches, if there is one: see `n_held`.
  Chain(NodePtr node, const StreamSpec& input, bool hold);
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  const NodePtr& node() const { return node_; }
  const std::vector<Output>& outputs() const { return outputs_; }

  void push(const float* rows, std::size_t n_rows, Sink& sink);

  /// Ends the signal; held rows are run.
  void flush(Sink& sink);

  /// Rows that wait for `holder`, and what it is; none unless rows are held.
  std::size_t n_held() const { return n_held_; }
  const std::vector<float>& held() const { return held_; }
  const NodePtr& holder() const { return parts_[holder_]->node; }
  const StreamSpec& held_spec() const { return parts_[holder_]->input; }

  /// Goes on behind `holder` with rows of one of its outputs. `release` ends it: the held rows are done, in
  /// `time_ns`.
  void resume(std::size_t output, const float* rows, std::size_t n_rows, Sink& sink);
  void release(std::int64_t time_ns, Sink& sink);

  /// Throws ValueError unless `node` has the same parts up to where patches are cut: only what comes
  /// behind can be exchanged without losing sound.
  void check_exchange(const Node& node) const;

  /// Goes on with `node` between two rows: the parts that both have keep their state, the others are
  /// flushed and replaced. Returns the time in seconds, from the signal's first sample, that rows of the
  /// new parts count from.
  double exchange(NodePtr node, Sink& sink);

  /// Opens every part anew: the next row is a signal's first.
  void restart();

  /// Seconds of signal that complete the next row of what comes at a steady rate; infinite if nothing
  /// does.
  double next_due_s() const;

  /// By part, since it was made or exchanged.
  std::vector<PartTime> times() const;

 private:
  /// What comes out of part `i - 1` goes to part `i`, or to the end.
  class Joint final : public Sink {
   public:
    Joint(Chain& chain, std::size_t i) : chain_(chain), i_(i) {}
    void write(std::size_t output, const float* rows, std::size_t n_rows) override;

   private:
    Chain& chain_;
    std::size_t i_;
  };

  struct Part {
    Part(Chain& chain, std::size_t i, NodePtr the_node, StreamSpec spec, double base)
        : node(std::move(the_node)),
          input(std::move(spec)),
          base_s(base),
          stream(node->open(input)),
          next(chain, i + 1) {}
    NodePtr node;
    StreamSpec input;
    double base_s;  ///< time of its first row
    std::unique_ptr<Stream> stream;
    Joint next;
    std::int64_t n_rows = 0;  ///< rows in
    std::atomic<std::int64_t> time_ns{0};
  };

  /// Charges the time since the last call to the part that ran, and says which runs now.
  class Turn;

  void open_parts(const std::vector<NodePtr>& nodes, std::size_t first, double base_s);
  void feed(std::size_t i, const float* rows, std::size_t n_rows);
  void settle_from(std::size_t first);
  void flush_from(std::size_t first);
  void run_held();
  void charge();

  NodePtr node_;
  StreamSpec input_;
  bool hold_;
  mutable std::mutex mutex_;  ///< held by the owner to change parts_, by others to read them
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<Output> outputs_;
  std::vector<std::int64_t> rows_out_;  ///< by output, since the last part's base_s
  std::size_t holder_ = 0;              ///< part that rows are held before; as many as there are for none
  std::vector<float> held_;
  std::size_t n_held_ = 0;
  Sink* sink_ = nullptr;
  Part* running_ = nullptr;
  std::int64_t last_ns_ = 0;
};

}  // namespace fastaudio::live
