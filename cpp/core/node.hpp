/// A Node is immutable; a Stream is one running state.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
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

/// Which inputs a row depends on, where only those near it count: row k on the ones from
/// k * n_in / n_out - before up to k * n_in / n_out + after, and it comes out once they are there. A stream
/// that begins n_in inputs later gives the same rows, n_out fewer, but for those that depend on what it
/// missed: bit for bit where `divisible`.
struct Locality {
  std::int64_t n_in = 1;
  std::int64_t n_out = 1;
  std::int64_t before = 0;  ///< negative: that many are passed over
  std::int64_t after = 1;
  bool divisible = true;  ///< whether streams may share the signal; a model has batches and threads instead
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

  /// How far a row of its outputs looks, if all have one rate; none where a row may depend on any input
  /// before it.
  virtual std::optional<Locality> locality() const { return std::nullopt; }

  /// The same node taking up to `n_rows` rows in one run, where one row out belongs to each row in, rows
  /// don't depend on each other, and several at once may be cheaper; null where that isn't so.
  virtual std::shared_ptr<const Node> batched(int /*n_rows*/) const { return nullptr; }

  /// Seconds of input that one row depends on, of the output where that is most; infinite where a row may
  /// depend on any input before it. A bound where branches of different rates hold such branches again.
  virtual double receptive_field_s(const StreamSpec& input) const;

  /// What its rows are cut out of, where it takes each for a clip of its own (Each).
  virtual std::optional<StreamSpec> clip() const { return std::nullopt; }

  /// Whether a row is a piece of its input, unchanged, so that another node may take it for a clip.
  virtual bool cuts_clips() const { return false; }

  /// The node itself, or the parts of a composite, in order.
  virtual std::vector<std::shared_ptr<const Node>> parts() const { return {shared_from_this()}; }

 protected:
  template <class Self>
  static std::shared_ptr<const Self> keep(const Self* self) {
    return std::static_pointer_cast<const Self>(self->shared_from_this());
  }
};

using NodePtr = std::shared_ptr<const Node>;

/// The names of a node's parts: "MelSpectrogram >> Log".
std::string short_name(const Node& node);

}  // namespace fastaudio
