#include <atomic>
#include <future>

#include "bindings/bindings.hpp"
#include "bindings/input.hpp"
#include "bindings/output.hpp"
#include "core/budget.hpp"
#include "core/compose/split.hpp"

namespace fastaudio::bindings {

namespace {

/// Python's handle of one run of a node. It releases the GIL while it computes.
class PyStream {
 public:
  PyStream(NodePtr node, std::optional<StreamSpec> input)
      : node_(std::move(node)), has_channels_(node_->parts().front()->has_channels()) {
    if (!input) input = node_->input();
    if (input) start(*input);
  }

  ~PyStream() {
    const WithoutGil without_gil;  // workers end their run first
    stream_.reset();
  }
  PyStream(const PyStream&) = delete;
  PyStream& operator=(const PyStream&) = delete;

  py::object push(const py::object& rows, bool wait) {
    const Busy busy(busy_);
    const py::array array = checked(rows);
    Collector collector(outputs_, span_s(array));
    push_into(collector, array, wait);
    return results(collector);
  }

  py::object flush() {
    const Busy busy(busy_);
    if (!stream_) throw StateError("stream: expected a push before flush, got none");
    Collector collector(outputs_);
    flush_into(collector);
    return results(collector);
  }

  bool too_loud() const { return loudness_.too_loud(); }

  void reset() {
    const Busy busy(busy_);
    if (stream_) start(input_);
  }

  /// Pushes a whole signal and flushes.
  py::object whole(const py::object& rows, int threads) {
    if (threads < 1) {
      throw ValueError("threads: expected 1 or more, got " + std::to_string(threads) +
                       "; os.process_cpu_count() tells how many there are");
    }
    const Busy busy(busy_);
    const py::array array = checked(rows);
    Collector collector(outputs_, span_s(array), 2);  // padding completes a row or two more
    const py::ssize_t n_rows = array.shape(0);
    const std::vector<Part> parts = unlocked([&] { return split(*node_, input_, n_rows, threads); });
    if (parts.size() > 1) {
      run_parts(parts, array, collector.rows[0]);
    } else {
      // A model takes batches, so it gets the whole signal at once.
      const auto near = node_->locality();
      push_into(collector, array, false, near && near->divisible);
      flush_into(collector);
    }
    return results(collector);
  }

 private:
  /// Refuses a second thread, since a stream belongs to one at a time.
  class Busy {
   public:
    explicit Busy(std::atomic<bool>& flag) : flag_(flag) {
      if (flag_.exchange(true)) {
        throw StateError("stream: expected calls from one thread at a time, got two; open a stream for each");
      }
    }
    ~Busy() { flag_ = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    std::atomic<bool>& flag_;
  };

  void start(const StreamSpec& input) {
    check_spec(input);
    input_ = input;
    const WithoutGil without_gil;
    const Budget::Building building;
    outputs_ = node_->outputs(input);
    stream_ = node_->open(input);
  }

  double span_s(const py::array& rows) const {
    return input_.rate_hz > 0 ? static_cast<double>(rows.shape(0)) / input_.rate_hz : 0;
  }

  void push_into(Collector& collector, const py::array& array, bool wait, bool in_blocks = false) {
    const InputRows values(array, input_.row_size());
    const auto n_rows = static_cast<std::size_t>(array.shape(0));
    std::size_t bad = kNone;
    {
      const WithoutGil without_gil;
      bad = values.feed(0, n_rows, in_blocks, converted_, [&](const float* block, std::size_t n) {
        if (takes_samples(input_)) loudness_.hear(block, n * input_.row_size());
        stream_->push(block, n, collector);
      });
      loudness_.keep();
      if (bad == kNone && wait) stream_->settle(collector);
    }
    if (bad != kNone) throw_bad(array, bad, input_);
  }

  /// Runs each part on its own stream and thread, the last part on this thread.
  void run_parts(const std::vector<Part>& parts, const py::array& array, GrowingBuffer& rows) {
    const InputRows values(array, input_.row_size());
    const std::size_t row_size = parts[0].row_size;
    const auto first = [&](std::size_t p) { return static_cast<std::size_t>(parts[p].first_row) * row_size; };
    rows.reserve(first(parts.size() - 1));
    std::vector<Placed> placed;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const std::size_t end = p + 1 < parts.size() ? first(p + 1) : rows.capacity();
      placed.emplace_back(rows.data() + first(p), end - first(p), row_size);
    }
    std::vector<std::size_t> bad(parts.size(), kNone);
    const auto run_part = [&](std::size_t p) {
      const auto first_input = static_cast<std::size_t>(parts[p].first_input);
      const auto end_input = static_cast<std::size_t>(parts[p].end_input);
      const auto stream = node_->open(input_);
      PartSink sink(parts[p], placed[p]);
      GrowingBuffer converted;
      bad[p] = values.feed(first_input, end_input - first_input, true, converted,
                           [&](const float* block, std::size_t n) { stream->push(block, n, sink); });
      if (bad[p] == kNone && parts[p].last()) stream->flush(sink);
    };
    {
      const WithoutGil without_gil;
      Interruptible* const here = Interruptible::current();
      const auto run_elsewhere = [&](std::size_t p) {
        const Interruptible as_here(here);
        run_part(p);
      };
      std::vector<std::future<void>> others;  // which are waited for, also after an error
      try {
        for (std::size_t p = 0; p + 1 < parts.size(); ++p) {
          others.push_back(std::async(std::launch::async, run_elsewhere, p));
        }
        run_part(parts.size() - 1);
        for (auto& other : others) {
          while (other.wait_for(Interruptible::kLook) != std::future_status::ready) check_interrupt();
          other.get();
        }
      } catch (...) {
        here->end();
        throw;
      }
    }
    const std::size_t first_bad = *std::min_element(bad.begin(), bad.end());
    if (first_bad != kNone) throw_bad(array, first_bad, input_);
    const Placed& last = placed.back();
    rows.set_size(first(parts.size() - 1) + last.n_placed);
    if (last.overflow.size() > 0) rows.append(last.overflow.data(), last.overflow.size());
  }

  void flush_into(Collector& collector) {
    const WithoutGil without_gil;
    stream_->flush(collector);
  }

  py::array checked(const py::object& rows) {
    if (!stream_ &&
        py::isinstance<py::array>(rows)) {  // the node takes any rows: the first block tells their shape
      const auto array = rows.cast<py::array>();
      StreamSpec spec = StreamSpec::samples(1);
      spec.unit = "";
      spec.kind = StreamSpec::Kind::rows;
      for (py::ssize_t i = 1; i < array.ndim(); ++i) spec.shape.push_back(array.shape(i));
      if (array.ndim() > 0 && array.dtype().equal(py::dtype::of<float>())) start(spec);
    }
    return checked_rows(rows, input_, has_channels_);
  }

  py::object results(Collector& collector) const {
    if (outputs_.size() == 1) return to_array(std::move(collector.rows[0]), outputs_[0].spec);
    py::dict dict;
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      dict[py::str(outputs_[o].name)] = to_array(std::move(collector.rows[o]), outputs_[o].spec);
    }
    return dict;
  }

  NodePtr node_;
  bool has_channels_;
  StreamSpec input_;
  std::vector<Output> outputs_;
  std::unique_ptr<Stream> stream_;
  GrowingBuffer converted_;
  Loudness loudness_;
  std::atomic<bool> busy_{false};
};

}  // namespace

void register_stream(py::module_& m, NodeClass& node) {
  m.def("samples_remedy", &samples_remedy, py::arg("value"),
        "Returns \"; use CODE\" for the end of a message if CODE makes samples of what is no array, or ''.");
  m.def("scale_warning", &scale_warning, py::arg("name"),
        "Returns what to warn of when the sound called `name` is too loud.");
  using Rows = py::typing::Union<py::array_t<float>, py::typing::Dict<py::str, py::array_t<float>>>;
  py::class_<PyStream>(m, "Stream",
                       "One run of a node over one signal; one thread at a time.\n\n"
                       "Rows are float32 arrays [n_rows, ...], or a dict of them by output name where the "
                       "node has several outputs.")
      .def(
          "push",
          [](PyStream& self, const Samples& rows, bool wait) -> Rows { return self.push(rows, wait); },
          py::arg("rows"), py::kw_only(), py::arg("wait") = true,
          "Takes a block of any length and returns the rows that it completes. Without `wait`, rows that\n"
          "other threads still compute come with a later push, or flush.\n\n"
          "Raises:\n    TypeError: a wrong dtype.\n    ValueError: a wrong shape, or NaN.\n"
          "    StateError: after flush, or from two threads at once.\n")
      .def(
          "flush", [](PyStream& self) -> Rows { return self.flush(); },
          "Ends the signal and returns the last rows.\n\nRaises:\n    StateError: called twice.\n")
      .def_property_readonly(
          "too_loud", &PyStream::too_loud,
          "Whether samples came far beyond the full scale of +-1, as those of integers do.")
      .def("reset", &PyStream::reset,
           "Goes back to the beginning, like a stream newly opened for the same input; also after flush, or "
           "an\n"
           "error.\n\nRaises:\n    StateError: from two threads at once.\n");
  node.def(
      "open",
      [](const std::shared_ptr<Node>& self, const std::optional<StreamSpec>& input) {
        return std::make_unique<PyStream>(self, input);
      },
      py::arg("input") = py::none(),
      "Returns a new stream. Without `input`, it takes what the node states, or else what the first block "
      "looks like.");
  node.def(
      "__call__",
      [](const std::shared_ptr<Node>& self, const Samples& rows, int threads) -> Rows {
        return PyStream(self, std::nullopt).whole(rows, threads);
      },
      py::arg("rows"), py::kw_only(), py::arg("threads") = 1,
      "Returns all rows of a whole signal: open, push, flush.\n\n"
      "A long signal is divided among `threads` if each row depends only on inputs near it; the rows are\n"
      "the same bit for bit. Other nodes use one thread.\n\n"
      "Raises:\n    TypeError: a wrong dtype.\n    ValueError: a wrong shape, or NaN.\n");
}

}  // namespace fastaudio::bindings
