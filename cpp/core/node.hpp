/// A Node is immutable; a Stream is the state of one run.
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

/// Receives rows as they come out, in blocks.
class Sink {
 public:
  virtual ~Sink() = default;

  /// The rows are valid during the call only.
  virtual void write(std::size_t output, const float* rows, std::size_t n_rows) = 0;

  /// Extends an output by `n_rows` and returns their memory; fill it before the next call. Returns null, and
  /// extends nothing, if the sink has no memory to give; use `write` then.
  virtual float* extend(std::size_t /*output*/, std::size_t /*n_rows*/) { return nullptr; }
};

/// One run of a node over one signal; used by one thread at a time. All buffers are made when it is opened:
/// push allocates nothing (except in Each) and takes no lock, unless the node was given threads.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Takes any number of rows, zero included. The rows that they complete reach `sink` by the end of the
  /// next `settle`. Throws StateError after flush, and after an error inside a call, because rows were lost.
  void push(const float* rows, std::size_t n_rows, Sink& sink) {
    run("push", [&] { do_push(rows, n_rows, sink); });
  }

  /// Waits for results that other threads still compute. A live caller settles after each push; a caller
  /// that has the whole signal needs only flush.
  void settle(Sink& sink) {
    run("settle", [&] { do_settle(sink); });
  }

  /// Ends the signal: padding, unfinished patches and clip-level rows come out. May be called once.
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
    broken_ = true;  // stays so if the call throws
    call();
    broken_ = false;
  }

  bool flushed_ = false;
  bool broken_ = false;
};

/// n_in inputs give n_out rows, and each row depends only on inputs near it: row k reads the inputs from
/// k n_in / n_out - before up to, not including, k n_in / n_out + after. It comes out with the last of them.
/// A stream that begins n_in inputs later gives the same rows without the first n_out, except for rows that
/// read an input it missed.
struct Locality {
  std::int64_t n_in = 1;
  std::int64_t n_out = 1;
  std::int64_t before = 0;  ///< negative: that many inputs are skipped
  std::int64_t after = 1;
  bool divisible = true;   ///< whether several streams may share one signal and give the same bits. A model
                           ///< has batches and threads instead
  std::int64_t first = 0;  ///< inputs that row 0 waits for, where its edge needs more than `after` of them
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

/// Options and tables, which never change: any number of streams and threads may share one node.
class Node : public std::enable_shared_from_this<Node> {
 public:
  virtual ~Node() = default;

  /// The expression that makes an equal node.
  virtual std::string repr() const = 0;

  /// The name of its class.
  virtual const char* type() const { return "Node"; }

  /// A short form of `repr` for diagrams.
  virtual std::string summary() const;

  /// The input that the options ask for (by a sample rate, say), if they do.
  virtual std::optional<StreamSpec> input() const { return std::nullopt; }

  /// What comes out for `input`; throws ValueError if the input doesn't fit.
  virtual std::vector<Output> outputs(const StreamSpec& input) const = 0;

  /// A new stream with all its buffers; throws as `outputs` does. It keeps the node alive.
  virtual std::unique_ptr<Stream> open(const StreamSpec& input) const = 0;

  /// How far a row of any output looks. Nothing if outputs have different rates, or if a row may depend on
  /// every input before it.
  virtual std::optional<Locality> locality() const { return std::nullopt; }

  /// Whether one row comes out for each row in, independent of the others, so that several in one run may
  /// be cheaper.
  virtual bool batches() const { return false; }

  /// The same node taking up to `n_rows` rows in one run; null unless `batches()`.
  virtual NodePtr batched(int /*n_rows*/) const { return nullptr; }

  /// Seconds of input that one row depends on, for the output where that is longest. Infinite if a row may
  /// depend on every input before it. An upper bound if branches of different rates hold such branches again.
  virtual double receptive_field_s(const StreamSpec& input) const;

  /// Whether an option says how many channels its input has.
  virtual bool has_channels() const { return false; }

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
