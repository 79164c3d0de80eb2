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

/// Reads the files that a network refers to.
onnx::Beside read_beside(const OnnxModel::Options& options, const std::string& content) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 33;
  const auto files = unlocked([&] { return OnnxModel::files_beside(options, content); });
  const auto require_room = [&](std::uint64_t n_bytes, std::uint64_t more) {
    if (more <= kMost && n_bytes <= kMost - more) return;
    throw ModelError(
        "OnnxModel(" + format(options.path) +
        "): expected at most 8 GiB of weights beside the network, got more; use a smaller network");
  };
  std::uint64_t stated = 0;  // bytes; all sizes are known to fit before a file is read
  for (const auto& [name, file] : files) {
    require_room(stated, file.n_bytes.value_or(0));
    stated += file.n_bytes.value_or(0);
  }
  onnx::Beside beside;
  std::uint64_t n_bytes = 0;
  for (const auto& [name, file] : files) {
    beside[name] = reader()(options.path, file.sha256, name, file.n_bytes).cast<std::string>();
    require_room(n_bytes, beside[name].size());
    n_bytes += beside[name].size();
  }
  return beside;
}

std::shared_ptr<OnnxModel> make(const OnnxModel::Options& options) {
  auto content = reader()(options.path, options.sha256, "", py::none()).cast<std::string>();
  return guessing([&] {
    auto beside = read_beside(options, content);
    const WithoutGil without_gil;
    return std::make_shared<OnnxModel>(options, std::move(content), std::move(beside));
  });
}

using Axes = py::typing::List<py::typing::Optional<py::int_>>;
using Tensors = py::typing::List<py::typing::Tuple<py::str, py::str, py::str, Axes>>;

/// The network of a file with all tensors of its graph as outputs.
Tensors tensors_of(const std::string& path, const std::string& sha256,
                   const std::map<std::string, std::string>& external) {
  OnnxModel::Options options;
  options.path = path;
  options.sha256 = sha256;
  options.external = external;
  auto content = reader()(path, sha256, "", py::none()).cast<std::string>();
  auto beside = read_beside(options, content);
  const auto session = unlocked([&] {
    const auto network =
        onnx::read_network("OnnxModel(" + format(path) + ")", std::move(content), std::move(beside), {});
    return std::make_shared<onnx::Session>(network, network->tensors);
  });
  Tensors tensors;
  const auto add = [&](const char* role, const onnx::TensorInfo& info) {
    Axes shape;
    for (const std::int64_t n : info.shape) shape.append(n < 0 ? py::object(py::none()) : py::int_(n));
    tensors.append(py::make_tuple(role, readable(info.name), onnx::type_text(info.element_type), shape));
  };
  for (const auto& info : session->inputs()) add("input", info);
  for (std::size_t i = 0; i < session->outputs().size(); ++i) {
    add(i < session->n_own_outputs() ? "output" : "inner", session->outputs()[i]);
  }
  return tensors;
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
            return guessing([&] {
              const WithoutGil without_gil;  // it may load the network anew
              return self.with_outputs({output}, units_of(self, {output}));
            });
          },
          py::arg("output"),
          "Returns the same network with one output, which may be any tensor of its graph.\n\n"
          "Raises:\n    ModelError: the network has no such output.\n")
      .def_property_readonly(
          "available_outputs",
          [](const OnnxModel& self) {
            py::typing::List<py::str> names;
            const auto& outputs = self.session().outputs();
            for (std::size_t i = 0; i < self.session().n_own_outputs(); ++i) {
              names.append(readable(outputs[i].name));
            }
            return names;
          },
          "Names of all outputs that the network has; `outputs` takes those of its inner tensors as well.");
  py::module_::import("atexit").attr("register")(py::cpp_function([] {
    const WithoutGil without_gil;
    onnx::Runtime::close();
  }));
  m.def(
      "set_model_reader",
      [](const py::typing::Callable<py::bytes(std::string, std::string, std::string,
                                              std::optional<std::uint64_t>)>& read) { reader() = read; },
      py::arg("read"),
      "Sets the function that returns the bytes of a model's file, given its path, its sha256 or '', the "
      "name of "
      "a file with weights beside it or '', and for that how many bytes at its front are needed; None for "
      "all.");
  m.def(
      "names_beside",
      [](const std::string& path, const py::bytes& content) {
        const std::string_view file(content);
        return unlocked([&] {
          std::vector<std::string> names;
          for (const auto& found : onnx::files_beside("OnnxModel(" + format(path) + ")", file)) {
            names.push_back(found.first);
          }
          return names;
        });
      },
      py::arg("path"), py::arg("content"),
      "Returns the names of the files with weights that a network refers to; `path` is for messages.\n\n"
      "Raises:\n    ModelError: it isn't a network, or a name leads out of its folder.\n");
  m.def("network_tensors", &tensors_of, py::arg("path"), py::arg("sha256") = "",
        py::arg("external") = std::map<std::string, std::string>{},
        "Returns each tensor of a network: 'input', 'output' or 'inner', its name, type, and shape with None "
        "for "
        "an open axis.\n\n"
        "Raises:\n    ModelError: the file can't be read, or isn't a network that runs here.\n");
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
