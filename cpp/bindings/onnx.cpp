#include <algorithm>

#include "bindings/guess.hpp"
#include "bindings/options.hpp"
#include "inference/onnx_model.hpp"

namespace fastaudio::bindings {

namespace {

/// Python's function that reads a model's file, packed or not, and verifies its hash. It is never destroyed.
py::object& reader() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> slot;
  return slot.call_once_and_store_result([] { return py::object(py::none()); }).get_stored();
}

/// Calls `make`, and adds a guess to the error if it meets a name that the network hasn't.
template <class Make>
auto guessing(Make make) {
  try {
    return make();
  } catch (const onnx::UnknownName& error) {
    throw ModelError(error.what() + did_you_mean(error.got, error.known));
  }
}

std::shared_ptr<OnnxModel> make(const OnnxModel::Options& options) {
  auto content = reader()(options.path, options.sha256).cast<std::string>();
  return guessing([&] {
    const WithoutGil without_gil;
    return std::make_shared<OnnxModel>(options, std::move(content));
  });
}

/// Returns the units that belong to some of the outputs named so far.
std::vector<std::string> units_of(const OnnxModel& model, const std::vector<std::string>& names) {
  const auto& options = model.options();
  if (options.units.empty()) return {};
  const auto known = model.output_names();
  std::vector<std::string> units;
  for (const std::string& name : names) {
    const auto at = std::find(known.begin(), known.end(), name);
    units.push_back(at == known.end() ? "" : options.units[static_cast<std::size_t>(at - known.begin())]);
  }
  return units;
}

}  // namespace

void register_onnx(py::module_& m) {
  bind_node<OnnxModel>(m, make)
      .def(
          "__getitem__",
          [](const OnnxModel& self, const std::string& output) {
            return guessing([&] { return self.with_outputs({output}, units_of(self, {output})); });
          },
          py::arg("output"),
          "Returns the same network with one output; both share a session.\n\n"
          "Raises:\n    ModelError: the network has no such output.\n")
      .def_property_readonly(
          "available_outputs",
          [](const OnnxModel& self) {
            py::typing::List<py::str> names;
            for (const onnx::TensorInfo& output : self.session().outputs()) {
              names.append(readable(output.name));
            }
            return names;
          },
          "Names of all outputs that the network has.");
  py::module_::import("atexit").attr("register")(py::cpp_function([] {
    const WithoutGil without_gil;
    onnx::Runtime::close();
  }));
  m.def(
      "set_model_reader",
      [](const py::typing::Callable<py::bytes(std::string, std::string)>& read) { reader() = read; },
      py::arg("read"),
      "Sets the function that returns the bytes of a model's file, given its path and its sha256 or ''.");
  m.def("set_onnxruntime_library", &onnx::Runtime::set_library, py::arg("path"),
        "Says where ONNX Runtime's library lies; this has no effect once it is open.");
  m.def(
      "onnxruntime_info",
      [] {
        const auto runtime = unlocked([] { return onnx::Runtime::get(); });
        py::typing::Dict<py::str, py::object> info;
        info["version"] = runtime->version();
        info["library"] = runtime->path();
        info["providers"] = runtime->providers();
        return info;
      },
      "Returns the version, path and active providers of ONNX Runtime, and opens it if need be.\n\n"
      "Raises:\n    ModelError: it isn't installed or doesn't fit.\n");
}

}  // namespace fastaudio::bindings
