#include <algorithm>

#include "bindings/guess.hpp"
#include "bindings/options.hpp"
#include "inference/onnx_model.hpp"
#include "inference/onnx_names.hpp"

namespace fastaudio::bindings {

namespace {

/// Python's function that reads a model's file, packed or not, and verifies its hash. It is never destroyed.
py::object& reader() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> slot;
  return slot.call_once_and_store_result([] { return py::object(py::none()); }).get_stored();
}

/// "fastaudio models 'my net.onnx' --tensors", as a shell takes it.
std::string listing_of(const std::string& path) {
  constexpr std::size_t kLongest = 200;
  const py::str shown = readable(path);
  if (path.size() > kLongest || !shown.attr("isprintable")().cast<bool>()) {
    return "fastaudio models PATH --tensors, where PATH is the network's";
  }
  const bool plain = path.ends_with(".onnx") && !path.starts_with('-');  // no model's name, and no option
  const bool rooted = path.find_first_of("/\\") == 0 || path.find(':') != std::string::npos;
  const py::str whole = plain || rooted ? shown : py::str("./{}").format(shown);
  return "fastaudio models " + py::module_::import("shlex").attr("quote")(whole).cast<std::string>() +
         " --tensors";
}

/// " or" before the last of them.
std::string alternatives(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + format(names[i]);
  }
  return text;
}

/// Calls `make`; to the error about a name that the network hasn't it adds names that may be meant, and what
/// lists them all.
template <class Make>
auto guessing(const std::string path, Make make) {
  constexpr std::size_t kNames = 3;
  try {
    return make();
  } catch (const onnx::UnknownTensor& error) {
    auto names = likest(error.got, error.known, kNames);
    if (names.empty()) names = holding(error.got, error.known, kNames);
    const auto near = alternatives(names);
    throw ModelError(
        error.what() +
        (near.empty() ? "; choose one that this lists: " : "; did you mean " + near + "? This lists all: ") +
        listing_of(path));
  } catch (const onnx::UnknownName& error) {
    throw ModelError(error.what() + did_you_mean(error.got, error.known));
  }
}

/// What a file holds that a node is made of, and its hash.
struct Content {
  std::string bytes;
  std::string sha256;
};

Content read(const std::string& path, const std::string& sha256, const std::string& beside = "",
             const std::optional<std::uint64_t>& n_bytes = std::nullopt) {
  const py::tuple found = reader()(path, sha256, beside, n_bytes);
  return {found[0].cast<std::string>(), found[1].cast<std::string>()};
}

/// Reads the files that a network refers to, and puts their hashes into the options.
onnx::Beside read_beside(OnnxModel::Options& options, const std::string& content) {
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
    Content found = read(options.path, file.sha256, name, file.n_bytes);
    require_room(n_bytes, found.bytes.size());
    n_bytes += found.bytes.size();
    beside[name] = std::move(found.bytes);
    options.external[name] = std::move(found.sha256);
  }
  return beside;
}

/// The node holds the hashes of what it is made of, so that who reads its files again gets the same or an
/// error.
std::shared_ptr<OnnxModel> make(OnnxModel::Options options) {
  Content network = read(options.path, options.sha256);
  return guessing(options.path, [&] {
    auto beside = read_beside(options, network.bytes);
    options.sha256 = std::move(network.sha256);
    const WithoutGil without_gil;
    return std::make_shared<OnnxModel>(std::move(options), std::move(network.bytes), std::move(beside));
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
  auto content = read(path, sha256).bytes;
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
            return guessing(self.options().path, [&] {
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
      [](const py::typing::Callable<py::typing::Tuple<py::bytes, py::str>(
             std::string, std::string, std::string, std::optional<std::uint64_t>)>& read) {
        reader() = read;
      },
      py::arg("read"),
      "Sets the function that returns the bytes of a model's file and its sha256, given its path, the sha256 "
      "that it has to have or '', the name of a file with weights beside it or '', and for that how many "
      "bytes at its front are needed; None for all.");
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
