#include <atomic>
#include <mutex>

#include "bindings/arguments.hpp"
#include "bindings/bindings.hpp"
#include "bindings/input.hpp"
#include "bindings/output.hpp"
#include "core/options.hpp"
#include "core/platform.hpp"
#include "live/pool.hpp"

namespace fastaudio::bindings {

namespace {

using live::LiveOptions;
using live::LiveStats;
using live::LiveStream;
using live::Overflow;
using live::Pool;

/// PortAudio's PaStreamCallback, its types spelled out: it isn't linked. Runs on the sound card's thread.
extern "C" int fastaudio_capture(const void* input, void* /*output*/, unsigned long n, const void* /*time*/,
                                 unsigned long status, void* stream) {
  constexpr unsigned long kInputOverflow = 2;
  if (input == nullptr) return 0;
  static_cast<LiveStream*>(stream)->capture(static_cast<const float*>(input), n,
                                            (status & kInputOverflow) != 0);
  return 0;  // go on
}

Overflow overflow_of(const std::string& name) {
  if (name == "drop_oldest") return Overflow::drop_oldest;
  if (name == "block") return Overflow::block;
  if (name == "raise") return Overflow::raise;
  throw ValueError("live: expected overflow 'drop_oldest', 'block' or 'raise', got " + format(name));
}

/// A result, as `take` describes it.
using Taken =
    py::typing::Tuple<int, py::str, std::int64_t, py::array_t<float>, double, double, std::int64_t, bool>;
using Captured = py::typing::Tuple<py::array_t<float>, std::int64_t, std::int64_t>;

/// A live stream and the pool that runs it.
class PyLiveStream {
 public:
  PyLiveStream(std::shared_ptr<Pool> pool, const NodePtr& node, const StreamSpec& input,
               const LiveOptions& options)
      : pool_(std::move(pool)) {
    outputs_.push_back(node->outputs(input));
    const WithoutGil without_gil;
    stream_ = std::make_shared<LiveStream>(node, input, options, pool_->options().batch > 1);
    pool_->add(stream_);
  }

  ~PyLiveStream() { close(0); }
  PyLiveStream(const PyLiveStream&) = delete;
  PyLiveStream& operator=(const PyLiveStream&) = delete;

  void push(const py::object& samples) {
    require_process();
    const py::array array = checked_rows(samples, stream_->input());
    const auto n = static_cast<std::size_t>(array.shape(0));
    const std::size_t n_values = n * stream_->input().row_size();
    if (array.dtype().kind() == 'i') return push_all(static_cast<const std::int16_t*>(array.data()), n);
    const auto* values = static_cast<const float*>(array.data());
    const std::size_t bad = dsp::kernels().find_bad(values, n_values);
    if (bad < n_values) throw_bad(array, bad, stream_->input());
    push_all(values, n);
  }

  std::optional<live::Result> take(double timeout_s) {
    require_process();
    const WithoutGil without_gil;
    return stream_->results().take(live::duration(timeout_s));
  }

  void finish() {
    require_process();
    const WithoutGil without_gil;
    stream_->finish();
  }

  void close(double timeout_s) {
    if (guard_.forked()) return;
    const WithoutGil without_gil;
    pool_->remove(stream_, timeout_s);
  }

  void exchange(const NodePtr& node) {
    require_process();
    outputs_.push_back(node->outputs(stream_->input()));  // first: its results may come at once
    try {
      const WithoutGil without_gil;  // a worker may be exchanging another one
      stream_->exchange(node, static_cast<int>(outputs_.size()) - 1);
    } catch (...) {
      outputs_.pop_back();
      throw;
    }
  }

  py::tuple read(std::int64_t position) const {
    require_process();
    const live::CaptureRing& ring = stream_->ring();
    const std::int64_t end = ring.end();
    const std::int64_t from = std::clamp(position, std::min(ring.begin(), end), end);
    const auto n = static_cast<std::size_t>(end - from);
    GrowingBuffer values;
    values.reserve(std::max<std::size_t>(n * ring.channels(), 1));
    values.set_size(n * ring.channels());
    const auto torn = static_cast<std::int64_t>(ring.read(from, n, values.data()));
    const std::int64_t lost = from + torn - position;
    StreamSpec spec = stream_->input();
    spec.shape = {static_cast<std::int64_t>(ring.channels())};
    GrowingBuffer kept;
    kept.append(values.data() + static_cast<std::size_t>(torn) * ring.channels(),
                values.size() - static_cast<std::size_t>(torn) * ring.channels());
    return py::make_tuple(to_array(std::move(kept), spec), lost, end);
  }

  bool ended() const {
    require_process();
    return stream_->results().ended();
  }
  float take_peak() { return stream_->take_peak(); }
  LiveStats stats() const {
    require_process();
    return stream_->stats();
  }
  std::int64_t position() const { return stream_->ring().end(); }
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(stream_.get()); }
  const StreamSpec& spec_of(const live::Result& result) const {
    return outputs_[static_cast<std::size_t>(result.network)][result.output].spec;
  }
  const std::string& name_of(const live::Result& result) const {
    return outputs_[static_cast<std::size_t>(result.network)][result.output].name;
  }

 private:
  /// Waits for room without the GIL, but looks after Ctrl-C: who pushes may be who should take results.
  template <class Value>
  void push_all(const Value* values, std::size_t n) {
    constexpr std::chrono::milliseconds kLook{100};
    std::unique_lock whole(pushing_, std::defer_lock);  // other threads' blocks come before or after
    do {
      std::size_t n_taken = 0;
      {
        const WithoutGil without_gil;
        if (whole.owns_lock() || whole.try_lock_for(kLook)) n_taken = stream_->push(values, n, kLook);
      }
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      values += n_taken * stream_->input().row_size();
      n -= n_taken;
    } while (n > 0);
  }

  void require_process() const {
    if (!guard_.forked()) return;
    throw StateError(
        "live: expected a stream opened in this process, got one from before a fork; open a new one");
  }

  std::shared_ptr<Pool> pool_;
  std::shared_ptr<LiveStream> stream_;
  std::timed_mutex pushing_;
  std::vector<std::vector<Output>> outputs_;  ///< of each network it has had
  platform::ForkGuard guard_;
};

py::typing::Dict<py::str, py::object> to_dict(const LiveStats& stats) {
  py::typing::Dict<py::str, py::object> dict;
  dict["captured"] = stats.captured;
  dict["delivered"] = stats.delivered;
  dict["dropped"] = stats.dropped;
  dict["waiting"] = stats.waiting;
  dict["gaps"] = stats.n_gaps;
  dict["bad_values"] = stats.n_bad;
  dict["device_overflows"] = stats.n_overflows;
  dict["results_waiting"] = stats.results_waiting;
  dict["results_dropped"] = stats.results_dropped;
  dict["sound_s"] = stats.sound_s;
  dict["busy_s"] = stats.busy_s;
  dict["latency_p50_s"] = stats.latency_p50_s;
  dict["latency_p99_s"] = stats.latency_p99_s;
  dict["latency_max_s"] = stats.latency_max_s;
  py::list parts;
  for (const live::PartTime& part : stats.parts) {
    parts.append(py::make_tuple(part.name, 1e-9 * static_cast<double>(part.time_ns)));
  }
  dict["parts"] = parts;
  return dict;
}

/// Joins the workers, each after the part that it runs: no reason for Python to wait.
void end_without_gil(Pool* pool) {
  const WithoutGil without_gil;
  const std::unique_ptr<Pool> owned(pool);
}

void register_pool(py::module_& m) {
  py::class_<Pool, std::shared_ptr<Pool>>(
      m, "Pool",
      "Threads that run live streams, each stream in its turn.\n\n"
      "With `batch` above 1, rows of several streams that the same network takes are run together: no row\n"
      "waits longer than `batch_wait_s` for others. Thread-safe.\n\n"
      "Raises:\n    TypeError, ValueError: an option of a wrong type, or outside its range.\n")
      .def(py::init([](const Argument<int>& workers, const Argument<int>& batch,
                       const Argument<double>& batch_wait_s) {
             const live::PoolOptions options{workers.read("Pool", "workers"), batch.read("Pool", "batch"),
                                             batch_wait_s.read("Pool", "batch_wait_s")};
             return std::shared_ptr<Pool>(std::make_unique<Pool>(options).release(), end_without_gil);
           }),
           py::arg("workers") = 1, py::kw_only(), py::arg("batch") = 1, py::arg("batch_wait_s") = 0.0)
      .def_property_readonly(
          "workers", [](const Pool& self) { return self.options().workers; }, "Threads at most.")
      .def_property_readonly(
          "batch", [](const Pool& self) { return self.options().batch; }, "Rows of a run at most.")
      .def("__len__", &Pool::size)
      .def("pause", &Pool::pause, py::call_guard<WithoutGil>(), "No stream gets a turn until `resume`.")
      .def("resume", &Pool::resume, py::call_guard<WithoutGil>(), "Goes on after `pause`.")
      .def("close", &Pool::close, py::call_guard<WithoutGil>(),
           "Closes all streams and ends the threads, each after the part that it runs.");
}

}  // namespace

void register_live(py::module_& m) {
  register_pool(m);
  py::class_<PyLiveStream> stream(
      m, "LiveStream",
      "One run of a node over sound as it comes; see `fastaudio.live.LiveStream`, which holds it.");
  stream
      .def(py::init([](std::shared_ptr<Pool> pool, const std::shared_ptr<Node>& node, const StreamSpec& input,
                       const Argument<std::string>& overflow, const Argument<double>& buffer_s,
                       const Argument<double>& provisional_s, const Argument<std::int64_t>& start_sample,
                       const Argument<std::int64_t>& max_results) {
             LiveOptions options;
             options.overflow = overflow_of(overflow.read("live", "overflow"));
             options.buffer_s = buffer_s.read("live", "buffer_s");
             options.provisional_s = provisional_s.read("live", "provisional_s");
             options.start_frame = start_sample.read("live", "start_sample");
             options.max_results = max_results.read("live", "max_results");
             return std::make_unique<PyLiveStream>(std::move(pool), node, input, options);
           }),
           py::arg("pool"), py::arg("node"), py::arg("input"), py::kw_only(), py::arg("overflow"),
           py::arg("buffer_s"), py::arg("provisional_s"), py::arg("start_sample"), py::arg("max_results"))
      .def(
          "push", [](PyLiveStream& self, const Samples& samples) { self.push(samples); }, py::arg("samples"),
          "Takes samples from any thread.\n\n"
          "Raises:\n    TypeError, ValueError: a wrong dtype, shape or value; nothing is taken then.\n"
          "    Overrun: no room, where that is the policy.\n    StateError: after finish, close or an "
          "error.\n")
      .def(
          "take",
          [](PyLiveStream& self, double timeout_s) -> py::typing::Optional<Taken> {
            auto result = self.take(timeout_s);
            if (!result) return py::none();
            const StreamSpec& spec = self.spec_of(*result);
            GrowingBuffer values;
            values.append(result->values.data(), result->values.size());
            return py::make_tuple(result->network, self.name_of(*result), result->first_row,
                                  to_array(std::move(values), spec), result->base_s, result->until_s,
                                  result->n_lost, result->provisional);
          },
          py::arg("timeout_s"),
          "The next result as (network, output, first_row, rows, base_s, until_s, n_lost, provisional);\n"
          "None after `timeout_s`, or if there will be no more.\n\n"
          "Raises:\n    FastaudioError: what ended the stream, once all before it is taken.\n")
      .def_property_readonly("ended", &PyLiveStream::ended, "No result will come any more.")
      .def("finish", &PyLiveStream::finish, "The sound ends: what was taken is run, then the results end.")
      .def("close", &PyLiveStream::close, py::arg("timeout_s"),
           "Ends at once; waits `timeout_s` at most for the part that runs now.")
      .def(
          "exchange", [](PyLiveStream& self, const std::shared_ptr<Node>& node) { self.exchange(node); },
          py::arg("node"),
          "From the next patch on, `node` gives the results.\n\n"
          "Raises:\n    ValueError: it doesn't begin with the same parts.\n")
      .def(
          "read",
          [](const PyLiveStream& self, std::int64_t position) -> Captured { return self.read(position); },
          py::arg("position"),
          "What was captured from `position` on: samples [n, channels], how many before them are lost, and\n"
          "the position that they end at.")
      .def_property_readonly("position", &PyLiveStream::position, "Samples captured, with `start_sample`.")
      .def("take_peak", &PyLiveStream::take_peak, "Largest magnitude captured since the last call.")
      .def(
          "stats", [](const PyLiveStream& self) { return to_dict(self.stats()); }, "Counts and times so far.")
      .def_property_readonly(
          "capture_callback",
          [](const PyLiveStream&) { return reinterpret_cast<std::uintptr_t>(&fastaudio_capture); },
          "Address of a callback for PortAudio, which takes float32; it never takes the GIL.")
      .def_property_readonly("capture_data", &PyLiveStream::address,
                             "Address of the callback's data; valid as long as this object.");
}

}  // namespace fastaudio::bindings
