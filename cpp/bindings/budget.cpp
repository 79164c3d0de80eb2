#include "core/budget.hpp"

#include <cmath>
#include <optional>

#include "bindings/bindings.hpp"

namespace fastaudio::bindings {

void register_budget(py::module_& m) {
  using Count = std::optional<std::size_t>;
  m.def(
      "within_budget",
      [](const py::typing::Callable<py::object()>& call, Count table_bytes, Count buffer_values,
         Count run_values, Count probe_values, std::optional<double> build_s) -> py::object {
        const Budget budget({.table_bytes = table_bytes.value_or(Budget::kNoLimit),
                             .buffer_values = buffer_values.value_or(Budget::kNoLimit),
                             .run_values = run_values.value_or(Budget::kNoLimit),
                             .probe_values = probe_values ? static_cast<double>(*probe_values) : HUGE_VAL,
                             .build_s = build_s.value_or(HUGE_VAL)});
        return call();
      },
      py::arg("call"), py::kw_only(), py::arg("table_bytes"), py::arg("buffer_values"), py::arg("run_values"),
      py::arg("probe_values"), py::arg("build_s"),
      "Returns what `call` returns; what it makes in this thread is counted, see `fastaudio.Budget`.\n\n"
      "Raises:\n    BudgetError: that is more than one of the limits; None is no limit.\n");
}

}  // namespace fastaudio::bindings
