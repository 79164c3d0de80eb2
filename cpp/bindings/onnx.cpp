#include <algorithm>

#include "bindings/options.hpp"
#include "inference/onnx_model.hpp"

namespace fastaudio::bindings {

namespace {

/// The file's content; what is hashed is what is run.
std::string read_verified(const OnnxModel::Options& options) {
  const std::string subject = "OnnxModel(" + format(options.path) + ")";
  const py::object file = [&] {
    try {
      return py::module_::import("builtins").attr("open")(options.path, "rb");
    } catch (const py::error_already_set& error) {
      throw ModelError(subject + ": expected a readable file, got " +
                       py::cast<std::string>(py::str(error.value())));
    }
  }();
  const py::bytes content = file.attr("read")();
  file.attr("close")();
  if (!options.sha256.empty()) {
    const auto got =
        py::module_::import("hashlib").attr("sha256")(content).attr("hexdigest")().cast<std::string>();
    if (got != options.sha256) {
      throw ModelError(subject + ": expected sha256 " + options.sha256 + ", got " + got +
                       "; the file is damaged or was changed");
    }
  }
  return content;
}

std::shared_ptr<OnnxModel> make(const OnnxModel::Options& options) {
  std::string content = read_verified(options);
  const WithoutGil without_gil;
  return std::make_shared<OnnxModel>(options, std::move(content));
}

/// The units that go with a choice among the outputs named so far.
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

void register_onnx(py::module_& m, NodeClass&) {
  bind_node<OnnxModel>(m, make)
      .def(
          "__getitem__",
          [](const OnnxModel& self, const std::string& output) {
            return self.with_outputs({output}, units_of(self, {output}));
          },
          py::arg("output"),
          "The same network with one output, sharing its session.\n\n"
          "Raises:\n    ModelError: the network has no such output.\n")
      .def_property_readonly(
          "available_outputs",
          [](const OnnxModel& self) {
            std::vector<std::string> names;
            for (const auto& info : self.session().outputs()) names.push_back(info.name);
            return names;
          },
          "Names of all the outputs that the network has.");
  py::module_::import("atexit").attr("register")(py::cpp_function([] {
    const WithoutGil without_gil;
    onnx::Runtime::close();
  }));
  m.def("set_onnxruntime_library", &onnx::Runtime::set_library, py::arg("path"),
        "Where ONNX Runtime's library lies; has no effect once it is open.");
  m.def(
      "onnxruntime_info",
      [] {
        const auto& runtime = onnx::Runtime::get();
        py::typing::Dict<py::str, py::object> info;
        info["version"] = runtime->version();
        info["library"] = runtime->path();
        info["providers"] = runtime->providers();
        return info;
      },
      "Version, path and active providers of ONNX Runtime; opens it.\n\n"
      "Raises:\n    ModelError: it isn't installed or doesn't fit.\n");
}

}  // namespace fastaudio::bindings
