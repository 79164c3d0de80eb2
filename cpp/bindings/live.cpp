#include <mutex>

#include "bindings/arguments.hpp"
#include "bindings/bindings.hpp"
#include "bindings/input.hpp"
#include "bindings/made.hpp"
#include "bindings/output.hpp"
#include "core/options.hpp"
#include "core/platform.hpp"
#include "live/pool.hpp"

namespace fastaudio::bindings {

namespace {

using live::LiveOptions;
using live::LiveStats;
using live::LiveStream;
using live::Pool;

/// PortAudio's PaStreamCallback, which runs on the sound card's thread. Its types are spelled out since
/// PortAudio isn't linked.
extern "C" int fastaudio_capture(const void* input, void* /*output*/, unsigned long n, const void* /*time*/,
                                 unsigned long status, void* stream) {
  constexpr unsigned long kInputOverflow = 2;
  if (input == nullptr) return 0;
  static_cast<LiveStream*>(stream)->capture(static_cast<const float*>(input), n,
                                            (status & kInputOverflow) != 0);
  return 0;  // go on
}

/// Tells `read_options` and `class_doc` about LiveOptions what a node's class tells about its own.
struct Live {
  using Options = LiveOptions;
  static constexpr const char* name = "live";
  static constexpr const char* doc =
      "Options of a live stream, which `Pipeline.live` and `Pipeline.listen` take as keywords.\n";
};

using Captured = py::typing::Tuple<py::array_t<float>, std::int64_t, std::int64_t>;

/// A live stream and the pool that runs it.
class PyLiveStream {
 public:
  PyLiveStream(std::shared_ptr<Pool> pool, const NodePtr& node, const StreamSpec& input,
               const LiveOptions& options)
      : pool_(std::move(pool)) {
    const WithoutGil without_gil;
    stream_ = std::make_shared<LiveStream>(node, input, options, pool_->options().batch > 1);
    pool_->add(stream_);
  }

  ~PyLiveStream() { close(0); }
  PyLiveStream(const PyLiveStream&) = delete;
  PyLiveStream& operator=(const PyLiveStream&) = delete;

  void push(const py::object& samples) {
    require_process();
    const py::array array = checked_rows(without_channel_axis(samples), stream_->input());
    const auto n = static_cast<std::size_t>(array.shape(0));
    const std::size_t n_values = n * stream_->input().row_size();
    if (array.dtype().kind() == 'i') return push_all(static_cast<const std::int16_t*>(array.data()), n);
    const auto* values = static_cast<const float*>(array.data());
    const std::size_t bad = dsp::kernels().find_bad(values, n_values);
    if (bad < n_values) throw_bad(array, bad, stream_->input());
    warn_if_loud(values, n_values);
    push_all(values, n);
  }

  std::optional<live::Result> take(double timeout_s) {
    require_process();
    const WithoutGil without_gil;
    live::Results& results = stream_->results();
    const auto until = std::chrono::steady_clock::now() + live::duration(timeout_s);
    for (;;) {
      const auto left = until - std::chrono::steady_clock::now();
      const std::chrono::nanoseconds look(kLook);
      auto result = results.take(std::clamp(left, left.zero(), look));
      if (result || left <= look || results.ended()) return result;
      check_interrupt();
    }
  }

  void interrupt() {
    require_process();
    const WithoutGil without_gil;
    stream_->interrupt();
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

  void swap(const NodePtr& node, int network) {
    require_process();
    const WithoutGil without_gil;  // a worker may be swapping in another one
    stream_->swap(node, network);
  }

  py::tuple read(std::int64_t position) const {
    require_process();
    const live::CaptureRing& ring = stream_->ring();
    position = std::max<std::int64_t>(position, 0);
    const auto [from, end, skipped] = ring.next(std::min(position, ring.end()));
    py::array_t<float> samples({static_cast<py::ssize_t>(end - from), py::ssize_t(ring.channels())});
    float* to = samples.mutable_data();
    std::size_t n_torn = 0;
    {
      const WithoutGil without_gil;
      n_torn = ring.read(from, static_cast<std::size_t>(end - from), to);
    }
    return py::make_tuple(samples[py::slice(static_cast<py::ssize_t>(n_torn), std::nullopt, std::nullopt)],
                          from + static_cast<std::int64_t>(n_torn) - position, end);
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

 private:
  /// The longest wait before a look for Ctrl-C, and whatever else ends a wait.
  static constexpr std::chrono::milliseconds kLook{100};

  /// Warns once, with the GIL held.
  void warn_if_loud(const float* values, std::size_t n) {
    if (loudness_.too_loud()) return;
    loudness_.hear(values, n);
    if (!loudness_.too_loud()) return;
    if (PyErr_WarnEx(PyExc_UserWarning, scale_warning("samples").c_str(), 2) != 0)
      throw py::error_already_set();
  }

  /// One channel may have an axis of its own.
  py::object without_channel_axis(const py::object& samples) const {
    if (!stream_->input().shape.empty() || !py::isinstance<py::array>(samples)) return samples;
    const auto array = samples.cast<py::array>();
    return array.ndim() == 2 && array.shape(1) == 1 ? array.attr("reshape")(-1) : samples;
  }

  /// Waits for room without the GIL, but checks for Ctrl-C: the thread that pushes may be the one that should
  /// take results.
  template <class Value>
  void push_all(const Value* values, std::size_t n) {
    std::unique_lock whole(pushing_, std::defer_lock);  // keeps blocks of several threads whole
    live::Untaken untaken = stream_->watch();
    do {
      std::size_t n_taken = 0;
      {
        const WithoutGil without_gil;
        if (whole.owns_lock() || whole.try_lock_for(kLook)) {
          n_taken = stream_->push(values, n, kLook, untaken);
        } else {
          untaken.look();
        }
      }
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      check_interrupt();
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
  Loudness loudness_;
  std::timed_mutex pushing_;
  platform::ForkGuard guard_;
};

std::unique_ptr<LiveOptions> make_options(const py::args& args, const py::kwargs& kwargs) {
  auto made = read_options<Live>(args, kwargs);
  check_options(Live::name, made);
  return std::make_unique<LiveOptions>(std::move(made));
}

std::unique_ptr<LiveStats> stats_of(const py::dict& state) {
  auto stats = std::make_unique<LiveStats>();
  for_each_field<LiveStats>([&](const auto& field) {
    if (!state.contains(field.name)) {
      throw TypeError(std::string("LiveStats: expected a state with ") + field.name + ", got none");
    }
    auto& value = (*stats).*field.member;
    value = state[field.name].template cast<std::remove_cvref_t<decltype(value)>>();
  });
  return stats;
}

/// Binds the fields of a plain struct as properties, with repr, equality and pickling.
template <class T, class FromDict>
void bind_fields(py::class_<T>& cls, FromDict from_dict) {
  for_each_field<T>([&](const auto& field) { cls.def_readonly(field.name, field.member, field.doc); });
  const auto dict_of = [](const T& self) {
    py::dict dict;
    for_each_field<T>([&](const auto& field) { dict[field.name] = py::cast(self.*field.member); });
    return dict;
  };
  cls.def("__repr__",
          [dict_of](const py::object& self) {
            std::string text;
            for (const auto& [name, value] : dict_of(self.cast<const T&>())) {
              text += (text.empty() ? "" : ", ") + name.template cast<std::string>() + "=";
              text += py::repr(value).template cast<std::string>();
            }
            return py::type::of(self).attr("__name__").template cast<std::string>() + "(" + text + ")";
          })
      .def(
          "__eq__",
          [dict_of](const T& self, const py::object& other) {
            return py::isinstance<T>(other) && dict_of(self).equal(dict_of(other.cast<const T&>()));
          },
          py::is_operator(), py::arg("other"));
  def_pickle(cls, dict_of, from_dict);
}

/// The rows, in the memory that the worker wrote them to: the array keeps the result alive.
py::array_t<float> rows_of(const py::object& self) {
  auto& result = self.cast<live::Result&>();
  const auto n_rows = static_cast<py::ssize_t>(result.n_rows);
  const auto n_values = static_cast<py::ssize_t>(result.values.size());
  return py::array_t<float>({n_rows, n_values / n_rows}, result.values.data(), self);
}

/// Joins the workers, which first end the parts that they run: other Python threads needn't wait for that.
void end_without_gil(Pool* pool) {
  const WithoutGil without_gil;
  const std::unique_ptr<Pool> owned(pool);
}

void register_pool(py::module_& m) {
  py::class_<Pool, std::shared_ptr<Pool>> pool(
      m, "Pool",
      "Threads that run live streams, each stream in its turn.\n\n"
      "With `batch` above 1, rows of several streams that the same network takes are run together: no row\n"
      "waits longer than `batch_wait_s` for others. Thread-safe.\n\n"
      "Raises:\n    TypeError, ValueError: an option of a wrong type, or outside its range.\n");
  def_init(
      pool,
      [](const Argument<int>& workers, const Argument<int>& batch, const Argument<double>& batch_wait_s) {
        const live::PoolOptions options{workers.read("Pool", "workers"), batch.read("Pool", "batch"),
                                        batch_wait_s.read("Pool", "batch_wait_s")};
        return std::shared_ptr<Pool>(std::make_unique<Pool>(options).release(), end_without_gil);
      },
      py::arg("workers") = 1, py::kw_only(), py::arg("batch") = 1, py::arg("batch_wait_s") = 0.0);
  pool.def("__len__", &Pool::size)
      .def("pause", &Pool::pause, py::call_guard<WithoutGil>(), "Stops running streams until `resume`.")
      .def("resume", &Pool::resume, py::call_guard<WithoutGil>(), "Goes on after `pause`.")
      .def("close", &Pool::close, py::call_guard<WithoutGil>(),
           "Closes all streams and ends the threads, each after the part that it runs.");
  for_each_field<live::PoolOptions>([&](const auto& field) {
    const auto member = field.member;
    pool.def_property_readonly(
        field.name, [member](const Pool& self) { return self.options().*member; }, field.doc);
  });
}

/// What goes into a live stream and comes out of it: options, results, statistics.
void register_data(py::module_& m) {
  py::class_<LiveOptions> options(m, "LiveOptions", class_doc<Live>().c_str());
  {
    py::options no_signatures;
    no_signatures.disable_function_signatures();
    def_init(options, make_options, init_doc(option_table<Live>()).c_str());
  }
  bind_fields(options, [](const py::dict& state) { return make_options(py::args(), state_of(state)); });

  py::class_<LiveStats> stats(m, "LiveStats",
                              "What a live stream has done so far; samples are counted per channel.");
  bind_fields(stats, stats_of);
  stats.def_property_readonly("real_time_factor", &LiveStats::real_time_factor,
                              "Seconds of work per second of sound; the stream falls behind above 1.");

  py::class_<live::Result>(m, "LiveResult", "Rows of one output that came out of a live stream together.")
      .def_readonly("network", &live::Result::network, "Number of the network that gave them.")
      .def_readonly("output", &live::Result::output, "Index among that network's outputs.")
      .def_readonly("first_row", &live::Result::first_row, "Number of the first row, counted from `base_s`.")
      .def_property_readonly("rows", &rows_of, "The rows, [n_rows, n_values].")
      .def_readonly("base_s", &live::Result::base_s, "Time of row 0.")
      .def_readonly("until_s", &live::Result::until_s, "End of the sound that was run.")
      .def_readonly("n_lost", &live::Result::n_lost, "Samples lost just before the first row; 0 if provisional.")
      .def_readonly("provisional", &live::Result::provisional,
                    "Whether they come from a shortened first clip, which ends at `until_s`.");
}

}  // namespace

void register_live(py::module_& m) {
  register_pool(m);
  register_data(m);
  py::class_<PyLiveStream> stream(
      m, "LiveStream",
      "One run of a node over sound as it comes; `fastaudio.live.LiveStream` is what users see of it.");
  def_init(
      stream,
      [](const std::shared_ptr<Pool>& pool, const std::shared_ptr<Node>& node, const StreamSpec& input,
         const LiveOptions& options) { return std::make_unique<PyLiveStream>(pool, node, input, options); },
      py::arg("pool"), py::arg("node"), py::arg("input"), py::arg("options"));
  stream
      .def(
          "push", [](PyLiveStream& self, const Samples& samples) { self.push(samples); }, py::arg("samples"),
          "Takes samples from any thread.\n\n"
          "Raises:\n    TypeError, ValueError: a wrong dtype, shape or value; nothing is taken then.\n"
          "    Overrun: no room, where that is the policy, or nobody takes the results.\n    StateError: "
          "after finish, close or an "
          "error.\n")
      .def("take", &PyLiveStream::take, py::arg("timeout_s"),
           "Waits for a result; None after `timeout_s`, or if there will be no more.\n\n"
           "Raises:\n    FastaudioError: what ended the stream, once all before it is taken.\n")
      .def_property_readonly("ended", &PyLiveStream::ended, "Whether no result will come any more.")
      .def(
          "interrupt", &PyLiveStream::interrupt,
          "What was taken is run and flushed; what comes next follows a gap as long as the time until then.\n"
          "Call it while nothing is pushed or captured.")
      .def("finish", &PyLiveStream::finish, "Ends the sound: what was taken is run, then the results end.")
      .def("close", &PyLiveStream::close, py::arg("timeout_s"),
           "Ends at once; waits `timeout_s` at most for the part that runs now.")
      .def(
          "swap",
          [](PyLiveStream& self, const std::shared_ptr<Node>& node, int network) {
            self.swap(node, network);
          },
          py::arg("node"), py::arg("network"),
          "From the next patch on, `node` gives the results, as network number `network`.\n\n"
          "Raises:\n    ValueError: it doesn't begin with the same parts.\n")
      .def(
          "read",
          [](const PyLiveStream& self, std::int64_t position) -> Captured { return self.read(position); },
          py::arg("position"),
          "Returns what was captured from `position` on, up to the next interruption: samples [n, "
          "channels],\n"
          "how many before them are lost, and the position that they end at.")
      .def_property_readonly("position", &PyLiveStream::position,
                             "Number of the next sample: `start_sample` and those captured.")
      .def("take_peak", &PyLiveStream::take_peak,
           "Returns the largest magnitude captured since the last call.")
      .def("stats", &PyLiveStream::stats, "Returns counts and times so far.")
      .def_property_readonly(
          "capture_callback",
          [](const PyLiveStream&) { return reinterpret_cast<std::uintptr_t>(&fastaudio_capture); },
          "Address of a callback for PortAudio, which takes float32; it never takes the GIL.")
      .def_property_readonly("capture_data", &PyLiveStream::address,
                             "Address of the callback's data; valid as long as this object.");
}

}  // namespace fastaudio::bindings
