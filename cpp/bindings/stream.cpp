#include <atomic>

#include "bindings/bindings.hpp"
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

/// Gathers rows, one array an output.
class Collector final : public Sink {
 public:
  /// Takes memory at once for the rows of `span_s` of signal and a few more; others let it grow.
  explicit Collector(const std::vector<Output>& outputs, double span_s = 0, std::size_t more = 0)
      : rows(outputs.size()) {
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      row_sizes_.push_back(outputs[o].spec.row_size());
      const double n_rows = std::min(span_s * outputs[o].spec.rate_hz, 1e9);
      rows[o].reserve((static_cast<std::size_t>(n_rows) + more) * row_sizes_[o]);
    }
  }
  void write(std::size_t output, const float* from, std::size_t n_rows) override {
    rows[output].insert(rows[output].end(), from, from + n_rows * row_sizes_[output]);
  }
  std::vector<std::vector<float>> rows;

 private:
  std::vector<std::size_t> row_sizes_;
};

/// An array that owns the vector's memory.
py::array_t<float> to_array(std::vector<float>&& values, const StreamSpec& spec) {
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(values.size() / spec.row_size())};
  for (const std::int64_t n : spec.shape) shape.push_back(static_cast<py::ssize_t>(n));
  auto owned = std::make_unique<std::vector<float>>(std::move(values));
  float* data = owned->data();
  const py::capsule owner(owned.release(), [](void* p) { delete static_cast<std::vector<float>*>(p); });
  return py::array_t<float>(shape, data, owner);
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
  py::object whole(const py::object& rows) {
    const Busy busy(busy_);
    const py::array array = checked(rows);
    Collector collector(outputs_, span_s(array), 2);  // padding completes a row or two more
    push_into(collector, array, false);
    flush_into(collector);
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

  void push_into(Collector& collector, const py::array& array, bool wait) {
    const auto n_rows = static_cast<std::size_t>(array.shape(0));
    const auto n_values = static_cast<std::size_t>(array.size());
    std::size_t bad = n_values;
    {
      const void* data = array.data();
      const bool is_int = array.dtype().kind() == 'i';
      const WithoutGil without_gil;
      const float* values = static_cast<const float*>(data);
      if (is_int) {
        values = to_float(static_cast<const std::int16_t*>(data), n_values);
      } else {
        bad = dsp::kernels().find_bad(values, n_values);
      }
      if (bad == n_values) {
        stream_->push(values, n_rows, collector);
        if (wait) stream_->settle(collector);
      }
    }
    if (bad != n_values) {
      const auto values = py::array_t<float>::ensure(array);
      throw ValueError(subject() + ": expected finite values within +-1e12, got " +
                       std::to_string(values.data()[bad]) + " at index " + std::to_string(bad) +
                       "; clean the signal first");
    }
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

  const float* to_float(const std::int16_t* values, std::size_t n) {
    converted_.resize(n);
    dsp::kernels().from_int16(values, n, converted_.data());
    return converted_.data();
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
  std::vector<float> converted_;
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
      [](const std::shared_ptr<Node>& self, const Samples& rows) -> Rows {
        return PyStream(self, std::nullopt).whole(rows);
      },
      py::arg("rows"),
      "All rows of a whole signal: open, push, flush.\n\n"
      "Raises:\n    TypeError: a wrong dtype.\n    ValueError: a wrong shape, or NaN.\n");
}

}  // namespace fastaudio::bindings
