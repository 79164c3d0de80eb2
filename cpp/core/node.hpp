/// A Node is immutable; a Stream is the state of one run.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
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

  /// Memory for the next `n_rows` of an output, which then count as written: fill it before the next call.
  /// Null if the sink has none to give; use `write` then.
  virtual float* place(std::size_t /*output*/, std::size_t /*n_rows*/) { return nullptr; }
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

/// For n_in inputs come n_out rows, and each depends on inputs near it alone: row k reads the inputs from
/// k n_in / n_out - before up to, not including, k n_in / n_out + after. It comes out with the last of them.
/// A stream that begins n_in inputs later gives the same rows without the first n_out, except for rows that
/// read an input it missed.
struct Locality {
  std::int64_t n_in = 1;
  std::int64_t n_out = 1;
  std::int64_t before = 0;  ///< negative: that many inputs are skipped
  std::int64_t after = 1;
  bool divisible = true;  ///< whether several streams may share one signal and give the same bits. A model
                          ///< has batches and threads instead
  std::int64_t first = 0;  ///< inputs that row 0 waits for, where its edge needs more than `after` of them
};

/// Options and tables, which never change: any number of streams and threads may share one node.
class Node : public std::enable_shared_from_this<Node> {
 public:
  virtual ~Node() = default;

  /// The expression that makes an equal node.
  virtual std::string repr() const = 0;

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

  /// The same node, taking up to `n_rows` rows in one run. Null unless each row in gives one row out by
  /// itself and several at once may be cheaper.
  virtual std::shared_ptr<const Node> batched(int /*n_rows*/) const { return nullptr; }

  /// Seconds of input that one row depends on, for the output where that is most. Infinite if a row may
  /// depend on every input before it. An upper bound if branches of different rates hold such branches again.
  virtual double receptive_field_s(const StreamSpec& input) const;

  /// What its rows are cut out of, where it takes each for a clip of its own (Each).
  virtual std::optional<StreamSpec> clip() const { return std::nullopt; }

  /// Whether a row is a piece of its input, unchanged, so that another node may take it for a clip.
  virtual bool cuts_clips() const { return false; }

  /// The node itself, or a composite's parts in order.
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
