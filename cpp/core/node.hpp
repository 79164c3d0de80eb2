/// A Node is immutable; a Stream is one running state.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/spec.hpp"

namespace fastaudio {

/// Receives rows as they come out, in blocks. The rows are valid during the call only.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(std::size_t output, const float* rows, std::size_t n_rows) = 0;

  /// Memory for the next `n_rows` of an output, counted as written, to be filled before anything else is
  /// written; null where there is none, and `write` takes them.
  virtual float* place(std::size_t /*output*/, std::size_t /*n_rows*/) { return nullptr; }
};

/// One run of a node over one signal. One thread at a time. Buffers are made when it is opened: push
/// allocates nothing (but in Each) and, unless the node was given threads of its own, takes no lock.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Any number of rows, zero included; what they complete goes to `sink` by the end of the next
  /// `settle`. Throws StateError after flush, or after an error inside a call: rows were lost then.
  void push(const float* rows, std::size_t n_rows, Sink& sink) {
    run("push", [&] { do_push(rows, n_rows, sink); });
  }

  /// Waits for results that other threads still compute. A live caller settles after each push; one
  /// that has the whole signal needs only flush.
  void settle(Sink& sink) {
    run("settle", [&] { do_settle(sink); });
  }

  /// Ends the signal: padding, unfinished patches and clip-level rows come out. Once only.
  void flush(Sink& sink) {
    run("flush", [&] { do_flush(sink); });
    flushed_ = true;
  }

 private:
  virtual void do_push(const float* rows, std::size_t n_rows, Sink& sink) = 0;
  virtual void do_settle(Sink&) {}
  virtual void do_flush(Sink&) {}

  template <class Call>
  void run(const char* name, Call&& call) {
    const auto refuse = [&](const char* after) {
      throw StateError(std::string("stream: expected no ") + name + " after " + after +
                       ", got one; open a new stream");
    };
    if (flushed_) refuse("flush");
    if (broken_) refuse("an error");
    broken_ = true;  // until the call has come back
    call();
    broken_ = false;
  }

  bool flushed_ = false;
  bool broken_ = false;
};

/// Row k reads inputs k * n_in / n_out - before ... k * n_in / n_out + after - 1, and comes out once they are
/// there. A stream that begins n_in inputs later gives the same rows, n_out fewer, except those that need
/// inputs it missed; the same bits if `divisible`.
struct Locality {
  std::int64_t n_in = 1;
  std::int64_t n_out = 1;
  std::int64_t before = 0;  ///< negative: that many inputs are skipped
  std::int64_t after = 1;
  bool divisible = true;  ///< whether streams may share the signal; a model has batches and threads instead
};

class Node;
using NodePtr = std::shared_ptr<const Node>;

/// What a node within a composite takes, and what becomes of its rows.
enum class Role {
  step,       ///< takes the rows of the child before it; the last child's rows come out
  output,     ///< takes the composite's input; its rows come out unchanged
  joined,     ///< takes the composite's input; rows made from its rows come out
  condition,  ///< takes the composite's input; its rows only change those of the other children
  clip,       ///< takes each clip that the composite cuts out of its input as a whole signal
};

struct Child {
  std::string name;  ///< "content", a branch's name or its index
  NodePtr node;
  Role role;
};

/// Options and tables. Thread-safe: share one node between any number of streams and threads.
class Node : public std::enable_shared_from_this<Node> {
 public:
  virtual ~Node() = default;

  /// The expression that makes an equal node.
  virtual std::string repr() const = 0;

  /// A short form of `repr` for diagrams.
  virtual std::string summary() const;

  /// The input it is made for, if its options say so (a sample rate, say).
  virtual std::optional<StreamSpec> input() const { return std::nullopt; }

  /// What comes out for `input`; throws ValueError if that doesn't fit.
  virtual std::vector<Output> outputs(const StreamSpec& input) const = 0;

  /// A new stream with all its buffers; throws as `outputs` does. It keeps the node alive.
  virtual std::unique_ptr<Stream> open(const StreamSpec& input) const = 0;

  /// Which inputs a row of its outputs reads, if all have one rate; none where a row may depend on any
  /// input before it.
  virtual std::optional<Locality> locality() const { return std::nullopt; }

  /// Whether one row comes out for each row in, independent of the others, so that several in one run may
  /// be cheaper.
  virtual bool batches() const { return false; }

  /// The same node taking up to `n_rows` rows in one run; null unless `batches()`.
  virtual NodePtr batched(int /*n_rows*/) const { return nullptr; }

  /// Seconds of input that one row depends on, for the output where that is longest; infinite where a row may
  /// depend on any input before it. An upper bound where composites of branches with different rates hold
  /// such composites.
  virtual double receptive_field_s(const StreamSpec& input) const;

  /// Whether it cuts its input into windows.
  virtual bool cuts_windows() const { return false; }

  /// The same node with a window every `n_rows` input rows; throws ValueError if it doesn't cut windows.
  virtual NodePtr with_hop(int n_rows) const;

  /// The nodes within a composite, in order; none in other nodes.
  virtual std::span<const Child> children() const { return {}; }

  /// A composite of the same type and options with other children; any other node returns itself.
  /// Throws ValueError if their number doesn't fit, or as the composite's constructor does.
  virtual NodePtr with_children(std::vector<NodePtr> nodes) const;

  /// The nodes that run one after another: a Sequential's children, else the node itself.
  std::vector<NodePtr> parts() const;

 protected:
  template <class Self>
  static std::shared_ptr<const Self> keep(const Self* self) {
    return std::static_pointer_cast<const Self>(self->shared_from_this());
  }
};

/// The names of a node's parts: "MelSpectrogram >> Log".
std::string short_name(const Node& node);

}  // namespace fastaudio
