#include "nodes/support/silence.hpp"
#include "bindings/bindings.hpp"

namespace fastaudio::bindings {

void register_silence(py::module_& m) {
  m.def(
      "with_silence",
      [](const std::shared_ptr<Node>& node, const StreamSpec& input, std::optional<double> silence_db,
         bool swappable) {
        return unconst(unlocked([&] { return with_silence(node, input, silence_db, swappable); }));
      },
      py::arg("node"), py::arg("input"), py::arg("silence_db"), py::kw_only(), py::arg("swappable") = false,
      R"(The node with a mark at the end of each row of scores, 1 for a silent window; events skip silent windows
and end in a summary row. A window is silent whose loudest 100 ms are below `silence_db`; None marks none.
`swappable` nodes begin alike, so that a live stream can go on with another one.)");
}

}  // namespace fastaudio::bindings
