/// A network opened part by part, which times each part.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/node.hpp"
#include "live/stats.hpp"

namespace fastaudio::live {

/// Whether rows come at times known beforehand; events don't.
bool steady(const StreamSpec& spec);

/// Runs the parts of a node one after another, as Sequential does. It also times each part, can hold rows
/// back for a batch, and can go on with another network's parts. One thread at a time may use it; only
/// `times` and `check_swap` may be called from any thread.
class Chain {
 public:
  /// `hold` makes rows stop before the first part that takes batches, if there is one: see `n_held`.
  Chain(NodePtr node, const StreamSpec& input, bool hold);
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  const NodePtr& node() const { return node_; }
  const std::vector<Output>& outputs() const { return outputs_; }

  void push(const float* rows, std::size_t n_rows, Sink& sink);

  /// Ends the signal; held rows are run.
  void flush(Sink& sink);

  /// The rows that wait for a batch, and the part that will run it. Call the last two only if rows are held.
  std::size_t n_held() const { return n_held_; }
  const std::vector<float>& held() const { return held_; }
  const NodePtr& batched_part() const { return parts_[holder_]->node; }
  const StreamSpec& held_spec() const { return parts_[holder_]->input; }

  /// Passes rows that the batch gave at one of its outputs on to the next part. After the last of them,
  /// `end_batch` drops the held rows and charges `time_ns` to the part.
  void pass_on(std::size_t output, const float* rows, std::size_t n_rows, Sink& sink);
  void end_batch(std::int64_t time_ns, Sink& sink);

  /// Throws ValueError unless `node` begins with the same parts, up to where patches are cut: only what
  /// follows can be swapped without losing sound.
  void check_swap(const Node& node) const;

  /// Goes on with `node` between two rows. The parts that both networks have keep their state, the others
  /// are flushed and replaced. Returns the time, in seconds from the signal's first sample, of row 0 of the
  /// new parts.
  double swap(NodePtr node, Sink& sink);

  /// Opens every part anew: the next row is the first of a signal.
  void restart();

  /// Seconds of signal that may complete the next row of an output; infinite if any sound may.
  double next_due_s() const;

  /// What each part has taken since it was opened or swapped in.
  PartTimes times() const;

 private:
  /// Hands rows to part `i`, or to the caller's sink behind the last one.
  class NextPart final : public Sink {
   public:
    NextPart(Chain& chain, std::size_t i) : chain_(chain), i_(i) {}
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
    NextPart next;
    std::int64_t n_rows = 0;  ///< rows that came in
    std::atomic<std::int64_t> time_ns{0};
  };

  /// Times one part while it is in scope, and pauses the one that ran before.
  class PartTimer;

  void open_parts(const std::vector<NodePtr>& nodes, std::size_t first, double base_s);
  /// Lets the parts from `first` on know the level of the sound before them.
  void share_upstream(std::size_t first);
  void feed(std::size_t i, const float* rows, std::size_t n_rows);
  void settle_from(std::size_t first);
  void flush_from(std::size_t first);
  void run_held();
  void charge();

  NodePtr node_;
  StreamSpec input_;
  bool hold_;
  mutable std::mutex mutex_;  ///< the owner locks it to change parts_, others to read them
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<Output> outputs_;
  std::vector<std::int64_t> rows_out_;  ///< by output, since the last part's base_s
  std::size_t holder_ = 0;              ///< index of the batched part; parts_.size() if there is none
  std::vector<float> held_;
  std::size_t n_held_ = 0;
  Sink* sink_ = nullptr;
  Part* running_ = nullptr;
  std::int64_t last_ns_ = 0;
};

}  // namespace fastaudio::live
