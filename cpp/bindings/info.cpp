#include "bindings/bindings.hpp"
#include "bindings/guess.hpp"
#include "dsp/kernels.hpp"

namespace fastaudio::bindings {

void register_info(py::module_& m) {
  m.attr("__version__") = FASTAUDIO_VERSION;
  m.def(
      "isa", [] { return std::string(dsp::kernels().isa); },
      "Returns the instruction set of the kernels in use: baseline, avx2, avx512, or neon.\n\n"
      "Raises:\n    ValueError: FASTAUDIO_ISA names one that this processor can't run.\n");
  m.def(
      "did_you_mean",
      [](const py::str& got, const std::vector<std::string>& known) {
        // A name from a card or a path may hold what UTF-8 can't.
        return did_you_mean(py::bytes(got.attr("encode")("utf-8", "replace")), known);
      },
      py::arg("got"), py::arg("known"),
      "Returns \"; did you mean 'NAME'?\" for the end of a message, or '' if no known name is near.");
}

}  // namespace fastaudio::bindings
