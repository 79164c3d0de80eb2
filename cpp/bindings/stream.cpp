#include <atomic>
#include <future>
#include <limits>

#include "bindings/bindings.hpp"
#include "bindings/rows.hpp"
#include "core/split.hpp"
#include "dsp/kernels.hpp"

namespace fastaudio::bindings {

/// Whatever the caller gave; named in signatures as what it should be.
class Samples : public py::object {
 public:
  PYBIND11_OBJECT(Samples, py::object, any)

 private:
  static bool any(PyObject*) { return true; }
};

}  // namespace fastaudio::bindings

namespace pybind11::detail {
template <>
struct handle_type_name<fastaudio::bindings::Samples> {
  static constexpr auto name =
      const_name("numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16]");
};
}  // namespace pybind11::detail

namespace fastaudio::bindings {

namespace {

/// An array that owns the memory.
py::array_t<float> to_array(Floats&& values, const StreamSpec& spec) {
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(values.size() / spec.row_size())};
  for (const std::int64_t n : spec.shape) shape.push_back(static_cast<py::ssize_t>(n));
  values.reserve(1);  // numpy wants an address also of nothing
  const py::capsule owner(values.data(), [](void* p) { std::free(p); });
  return py::array_t<float>(shape, values.release(), owner);
}

std::string describe(const py::array& array) {
  std::string shape;
  for (py::ssize_t i = 0; i < array.ndim(); ++i) shape += (i ? ", " : "") + std::to_string(array.shape(i));
  if (array.ndim() == 1) shape += ",";
  return py::cast<std::string>(py::str(array.dtype())) + " (" + shape + ")";
}

/// "[n_samples]", "[n_rows, 96]".
std::string expected_shape(const StreamSpec& spec) {
  if (spec.shape.empty()) return "[n_samples]";
  std::string text = "[n_rows";
  for (const std::int64_t n : spec.shape) text += ", " + std::to_string(n);
  return text + "]";
}

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// A contiguous array's rows, float or int16.
class Values {
 public:
  Values(const py::array& array, std::size_t row_size)
      : data_(array.data()), is_int_(array.dtype().kind() == 'i'), row_size_(row_size) {}

  /// Rows as floats to `push`, up to the first value that isn't finite: returns its index, or kNone.
  /// In one piece, or in blocks, which are read and converted in the processor's caches.
  template <class Push>
  std::size_t feed(std::size_t first_row, std::size_t n_rows, bool in_blocks, Floats& converted,
                   Push&& push) const {
    const std::size_t most = in_blocks ? std::max<std::size_t>(kBlock / row_size_, 1) : n_rows;
    std::size_t row = 0;
    do {
      const std::size_t n = std::min(most, n_rows - row);
      const std::size_t first = (first_row + row) * row_size_;
      const float* values = floats(first, n * row_size_, converted);
      const std::size_t bad = is_int_ ? n * row_size_ : dsp::kernels().find_bad(values, n * row_size_);
      if (bad < n * row_size_) return first + bad;
      push(values, n);
      row += n;
    } while (row < n_rows);
    return kNone;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 17;

  const float* floats(std::size_t first, std::size_t n, Floats& converted) const {
    if (!is_int_) return static_cast<const float*>(data_) + first;
    converted.reserve(n);
    dsp::kernels().from_int16(static_cast<const std::int16_t*>(data_) + first, n, converted.data());
    return converted.data();
  }

  const void* data_;
  bool is_int_;
  std::size_t row_size_;
};

/// One run of a node, from Python. The GIL is released while it computes.
class PyStream {
 public:
  PyStream(NodePtr node, std::optional<StreamSpec> input) : node_(std::move(node)) {
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

  /// push and flush in one.
  py::object whole(const py::object& rows, int threads) {
    if (threads < 1) {
      throw ValueError("threads: expected 1 or more, got " + std::to_string(threads) +
                       "; os.process_cpu_count() tells how many there are");
    }
    const Busy busy(busy_);
    const py::array array = checked(rows);
    Collector collector(outputs_, span_s(array), 2);  // padding completes a row or two more
    const std::vector<Part> parts = split(*node_, input_, array.shape(0), threads);
    if (parts.size() > 1) {
      run_parts(parts, array, collector.rows[0]);
    } else {
      // A node that takes batches, as models do, gets what it can in one.
      const auto near = node_->locality();
      push_into(collector, array, false, near && near->divisible);
      flush_into(collector);
    }
    return results(collector);
  }

 private:
  /// A stream belongs to one thread at a time: the second one is told so instead of racing.
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
    outputs_ = node_->outputs(input);
    const WithoutGil without_gil;
    stream_ = node_->open(input);
  }

  double span_s(const py::array& rows) const {
    return input_.rate_hz > 0 ? static_cast<double>(rows.shape(0)) / input_.rate_hz : 0;
  }

  void push_into(Collector& collector, const py::array& array, bool wait, bool in_blocks = false) {
    const Values values(array, input_.row_size());
    const auto n_rows = static_cast<std::size_t>(array.shape(0));
    std::size_t bad = kNone;
    {
      const WithoutGil without_gil;
      bad = values.feed(0, n_rows, in_blocks, converted_,
                        [&](const float* block, std::size_t n) { stream_->push(block, n, collector); });
      if (bad == kNone && wait) stream_->settle(collector);
    }
    if (bad != kNone) throw_bad(array, bad);
  }

  /// Each part on a thread and a stream of its own, the last one here.
  void run_parts(const std::vector<Part>& parts, const py::array& array, Floats& rows) {
    const Values values(array, input_.row_size());
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
      Floats converted;
      bad[p] = values.feed(first_input, end_input - first_input, true, converted,
                           [&](const float* block, std::size_t n) { stream->push(block, n, sink); });
      if (bad[p] == kNone && parts[p].last()) stream->flush(sink);
    };
    {
      const WithoutGil without_gil;
      std::vector<std::future<void>> others;
      for (std::size_t p = 0; p + 1 < parts.size(); ++p) {
        others.push_back(std::async(std::launch::async, run_part, p));
      }
      run_part(parts.size() - 1);
      for (auto& other : others) other.get();
    }
    const std::size_t first_bad = *std::min_element(bad.begin(), bad.end());
    if (first_bad != kNone) throw_bad(array, first_bad);
    const Placed& last = placed.back();
    rows.set_size(first(parts.size() - 1) + last.n_placed);
    if (last.beyond.size() > 0) rows.append(last.beyond.data(), last.beyond.size());
  }

  [[noreturn]] void throw_bad(const py::array& array, std::size_t index) const {
    const auto values = py::array_t<float>::ensure(array);
    throw ValueError(subject() + ": expected finite values within +-1e12, got " +
                     std::to_string(values.data()[index]) + " at index " + std::to_string(index) +
                     "; clean the signal first");
  }

  void flush_into(Collector& collector) {
    const WithoutGil without_gil;
    stream_->flush(collector);
  }

  std::string subject() const { return input_.unit == "samples" ? "samples" : "rows"; }

  py::array checked(const py::object& rows) {
    if (!py::isinstance<py::array>(rows)) {
      const auto type = py::cast<std::string>(py::type::of(rows).attr("__name__"));
      throw TypeError("samples: expected a numpy array of float32 or int16, got " + type +
                      "; use numpy.asarray(samples, dtype=\"float32\")");
    }
    auto array = rows.cast<py::array>();
    const bool is_float = array.dtype().equal(py::dtype::of<float>());
    const bool is_int = array.dtype().equal(py::dtype::of<std::int16_t>());
    if (!stream_ && array.ndim() > 0 && is_float) {  // any rows will do: the first block tells their shape
      StreamSpec spec = StreamSpec::samples(1);
      spec.unit = "";
      for (py::ssize_t i = 1; i < array.ndim(); ++i) spec.shape.push_back(array.shape(i));
      start(spec);
    }
    const bool takes_int = input_.unit == "samples";
    if (!is_float && !(takes_int && is_int)) {
      throw TypeError(subject() + ": expected float32" + (takes_int ? " or int16 " : " ") +
                      expected_shape(input_) + ", got " + describe(array) + "; use " + subject() +
                      ".astype(\"float32\")");
    }
    bool fits = array.ndim() == static_cast<py::ssize_t>(input_.shape.size()) + 1;
    for (std::size_t i = 0; fits && i < input_.shape.size(); ++i) {
      fits = array.shape(static_cast<py::ssize_t>(i) + 1) == input_.shape[i];
    }
    if (!fits) {
      const bool channels = input_.shape.empty() && array.ndim() == 2;
      throw ValueError(subject() + ": expected " + expected_shape(input_) + ", got " + describe(array) +
                       (channels ? "; choose one channel, or average them" : ""));
    }
    auto contiguous = py::array::ensure(array, py::array::c_style);
    if (!contiguous) throw std::bad_alloc();
    return contiguous;
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
  StreamSpec input_;
  std::vector<Output> outputs_;
  std::unique_ptr<Stream> stream_;
  Floats converted_;
  std::atomic<bool> busy_{false};
};

}  // namespace

void register_stream(py::module_& m, NodeClass& node) {
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
          "Ends the signal and returns the last rows.\n\nRaises:\n    StateError: called twice.\n");
  node.def(
      "open",
      [](const std::shared_ptr<Node>& self, const std::optional<StreamSpec>& input) {
        return std::make_unique<PyStream>(self, input);
      },
      py::arg("input") = py::none(),
      "A new stream. Without `input`, the node's own, or whatever the first block looks like.");
  node.def(
      "__call__",
      [](const std::shared_ptr<Node>& self, const Samples& rows, int threads) -> Rows {
        return PyStream(self, std::nullopt).whole(rows, threads);
      },
      py::arg("rows"), py::kw_only(), py::arg("threads") = 1,
      "All rows of a whole signal: open, push, flush.\n\n"
      "A long signal is shared among `threads` where each row depends only on what is near it; the rows\n"
      "are the same bit for bit. Other nodes take one.\n\n"
      "Raises:\n    TypeError: a wrong dtype.\n    ValueError: a wrong shape, or NaN.\n");
}

}  // namespace fastaudio::bindings
