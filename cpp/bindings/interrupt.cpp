#include "bindings/interrupt.hpp"

#include <cmath>
#include <memory>
#include <optional>
#include <thread>

#include "bindings/made.hpp"
#include "core/platform.hpp"
#include "core/turn.hpp"

namespace fastaudio::bindings {

namespace {

/// Runs the handlers of signals that came, and throws what they raise.
void poll_signals() {
  struct WithGil {
    PyGILState_STATE state = PyGILState_Ensure();
    ~WithGil() { PyGILState_Release(state); }
  };
  const WithGil with_gil;
  const TurnsAtOnce now;  // this thread may hold a turn for which a handler's run would wait
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

bool on_main_thread() {
  static unsigned long main = 0;  // both need the GIL
  static int generation = -1;
  if (generation != platform::fork_generation()) {  // a fork's child has another
    main = py::module_::import("threading").attr("main_thread")().attr("ident").cast<unsigned long>();
    generation = platform::fork_generation();
  }
  return PyThread_get_thread_ident() == main;
}

/// A scope that lasts from `__enter__` to `__exit__`.
class PyInterruptible {
 public:
  PyInterruptible(std::shared_ptr<Cancel> cancel, std::optional<double> timeout_s)
      : cancel_(std::move(cancel)), timeout_s_(timeout_s.value_or(HUGE_VAL)) {
    if (timeout_s && !(*timeout_s > 0)) {
      throw ValueError("timeout_s: expected a number of seconds above 0, or None, got " +
                       std::to_string(*timeout_s));
    }
  }

  void enter() {
    if (scope_) throw StateError("interruptible: expected to be entered once, got twice; make another");
    thread_ = std::this_thread::get_id();
    scope_ = std::make_unique<Interruptible>(
        Interruptible::Limits{.cancel = cancel_.get(), .timeout_s = timeout_s_});
  }

  void exit() {
    if (scope_ && (thread_ != std::this_thread::get_id() || Interruptible::current() != scope_.get())) {
      throw StateError("interruptible: expected the thread's last one to be left first, got another");
    }
    scope_.reset();
  }

  ~PyInterruptible() {
    if (!scope_) return;
    // An interrupt between entering and the block can leave it entered; then nobody else uses it.
    if (thread_ == std::this_thread::get_id() && Interruptible::current() == scope_.get()) return;
    // In another order, or of another thread, it may still be in use by its thread, so it stays, and what it
    // points to.
    static_cast<void>(scope_.release());
    static_cast<void>(new std::shared_ptr<Cancel>(cancel_));
  }
  PyInterruptible(const PyInterruptible&) = delete;
  PyInterruptible& operator=(const PyInterruptible&) = delete;

 private:
  std::shared_ptr<Cancel> cancel_;
  double timeout_s_;
  std::thread::id thread_;
  std::unique_ptr<Interruptible> scope_;
};

}  // namespace

Interruptible::Poll poll_of_thread() { return on_main_thread() ? poll_signals : nullptr; }

void register_cancel(py::module_& m) {
  py::class_<Cancel, std::shared_ptr<Cancel>> cancel(
      m, "Cancel",
      "Ends calls that were given it as `cancel=`, from any thread, once and for all.\n\n"
      "    cancel = fastaudio.Cancel()\n"
      "    threading.Timer(2, cancel.cancel).start()\n"
      "    pipeline(\"song.mp3\", cancel=cancel)  # raises Cancelled after 2 s, if it isn't done by then\n");
  def_init(cancel, [] { return std::make_shared<Cancel>(); });
  cancel
      .def(
          "cancel",
          [](Cancel& self) {
            const WithoutGil without_gil;
            self.cancel();
          },
          "Asks all calls that were given it to end; they raise Cancelled.")
      .def_property_readonly("cancelled", &Cancel::cancelled, "Whether `cancel` was called.");
}

void register_interrupt(py::module_& m) {
  py::class_<PyInterruptible> scope(
      m, "Interruptible",
      "A context in which this thread's calls end with Cancelled once `cancel` is cancelled, and with "
      "TimedOut\n"
      "after `timeout_s` seconds.\n\nRaises:\n    ValueError: a time that isn't above 0.\n");
  def_init(
      scope,
      [](const std::optional<std::shared_ptr<Cancel>>& cancel, std::optional<double> timeout_s) {
        return std::make_unique<PyInterruptible>(cancel.value_or(nullptr), timeout_s);
      },
      py::arg("cancel") = py::none(), py::arg("timeout_s") = py::none());
  scope
      .def(
          "__enter__",
          [](PyInterruptible& self) -> PyInterruptible& {
            self.enter();
            return self;
          },
          py::return_value_policy::reference)
      .def(
          "__exit__",
          [](PyInterruptible& self, const py::object&, const py::object&, const py::object&) { self.exit(); },
          py::arg("kind") = py::none(), py::arg("error") = py::none(), py::arg("traceback") = py::none());
  m.def(
      "check_interrupt",
      [] {
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        check_interrupt();
      },
      "Raises what ends this thread's work, if it was asked to end: see `Interruptible`. Loops in Python "
      "call\n"
      "it.\n\nRaises:\n    Cancelled, TimedOut: it has to end.\n");
}

}  // namespace fastaudio::bindings
