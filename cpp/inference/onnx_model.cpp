#include "inference/onnx_model.hpp"

#include <algorithm>
#include <set>

#include "core/budget.hpp"
#include "inference/onnx_stream.hpp"
#include "inference/onnx_walk.hpp"

namespace fastaudio {

namespace {

/// "net.onnx" as "net-whole.onnx".
std::string beside(const std::string& path) {
  const std::string suffix = ".onnx";
  const bool has_suffix = path.ends_with(suffix);
  return path.substr(0, path.size() - (has_suffix ? suffix.size() : 0)) + "-whole" + suffix;
}

std::shared_ptr<onnx::Session> load(const OnnxModel::Options& options, std::string content) {
  check_options(OnnxModel::name, options);
  const std::string subject = "OnnxModel(" + format(options.path) + ")";
  const onnx::Contents contents = onnx::walk(subject, content);
  if (contents.external) {  // no hash would cover that file
    throw ModelError(subject +
                     ": expected all weights inside the file, got some in another; make it one file: " +
                     "import onnx; onnx.save(onnx.load(" + format(options.path) + "), " +
                     format(beside(options.path)) + "), and load that");
  }
  if (!contents.foreign_operator.empty()) {
    throw ModelError(subject +
                     ": expected operators that ONNX Runtime itself brings and that read no files, " +
                     "got " + format(contents.foreign_operator) + "; export it without");
  }
  if (contents.sparse_in_function) {
    throw ModelError(
        subject +
        ": expected no sparse tensor in a function, got one, with which ONNX Runtime may crash; "
        "write it again by: import onnx; onnx.save(onnx.inliner.inline_local_functions(onnx.load(" +
        format(options.path) + ")), " + format(beside(options.path)) + "), and load that");
  }
  return std::make_shared<onnx::Session>(subject, std::move(content), options.providers, contents.loops);
}

}  // namespace

OnnxModel::OnnxModel(Options options, std::string content)
    : OnnxModel(options, load(options, std::move(content))) {}

OnnxModel::OnnxModel(Options o, std::shared_ptr<onnx::Session> session)
    : NodeOf(std::move(o)), session_(std::move(session)) {
  find_data_input();
  check_outputs();
}

std::shared_ptr<OnnxModel> OnnxModel::with_outputs(std::vector<std::string> outputs,
                                                   std::vector<std::string> units) const {
  Options changed = options();
  changed.outputs = std::move(outputs);
  changed.units = std::move(units);
  return std::shared_ptr<OnnxModel>(new OnnxModel(std::move(changed), session_));
}

void OnnxModel::find_data_input() {
  states_ = onnx::find_states(*session_, options().state);
  std::vector<std::string> others;
  const auto& inputs = session_->inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (options().state.contains(inputs[i].name)) continue;
    others.push_back(inputs[i].name);
    data_input_ = i;
  }
  if (others.size() == 1 && data_input().element_type == onnx::kFloat) return;
  const std::string expected = session_->subject() + ": expected a model with one float32 input" +
                               (states_.empty() ? "" : " beside its state") + ", got ";
  if (others.size() == 1) {
    throw ModelError(expected + format(others) + " of " + onnx::type_text(data_input().element_type) +
                     "; export it in float32");
  }
  throw ModelError(expected + format(others) + (others.empty() ? "" : "; name recurrent ones with state="));
}

std::vector<std::string> OnnxModel::data_outputs() const {
  auto names = onnx::names_of(session_->outputs());
  for (const auto& state : states_) std::erase(names, state.output);
  return names;
}

void OnnxModel::check_outputs() const {
  const std::string& subject = session_->subject();
  const auto known = data_outputs();
  if (known.empty()) {
    throw ModelError(subject + ": expected a model with outputs" +
                     (states_.empty() ? "" : " beside its state") + ", got none");
  }
  const auto names = output_names();
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      throw ValueError(subject + ": expected different outputs, got " + format(name) + " twice");
    }
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw onnx::UnknownName(subject + ": expected outputs", known, name);
    }
    const int type = onnx::find(session_->outputs(), name)->element_type;
    if (type != onnx::kFloat) {
      throw ModelError(subject + ": expected float32 from output " + format(name) + ", got " +
                       onnx::type_text(type) + "; export it in float32, or choose another output");
    }
  }
  if (!options().units.empty() && options().units.size() != names.size()) {
    throw ValueError(subject + ": expected a unit for each of " + std::to_string(names.size()) +
                     " outputs, got " + format(options().units));
  }
}

std::vector<std::string> OnnxModel::output_names() const {
  if (!options().outputs.empty()) return options().outputs;
  return {data_outputs().front()};
}

std::string OnnxModel::summary() const {
  const std::size_t slash = options().path.find_last_of("/\\");
  return "OnnxModel(" + format(options().path.substr(slash == std::string::npos ? 0 : slash + 1)) + ")";
}

OnnxModel::Plan OnnxModel::plan(const StreamSpec& input) const {
  auto layout = onnx::fit_layout(session_->subject(), data_input().shape, options().layout, input,
                                 options().batch, !states_.empty());
  onnx::require_size(session_->subject(), "input", layout.shape);
  if (const Budget* budget = Budget::current()) {
    const Budget::At at(name);
    budget->check_run(static_cast<double>(layout.batch) * static_cast<double>(layout.row_size()));
  }
  auto row_shapes = probe_.row_shapes(*this, layout);
  const auto names = output_names();
  for (std::size_t o = 0; o < names.size(); ++o) {
    auto shape = row_shapes[o];
    shape.insert(shape.begin(), static_cast<std::int64_t>(layout.batch));
    onnx::require_size(session_->subject(), "output " + format(names[o]), shape);
  }
  return {std::move(layout), std::move(row_shapes)};
}

std::vector<Output> OnnxModel::describe(const StreamSpec& input) const {
  const Plan plan = this->plan(input);
  const auto names = output_names();
  std::vector<Output> outputs;
  for (std::size_t o = 0; o < names.size(); ++o) {
    StreamSpec spec = input;
    spec.shape = plan.row_shapes[o];
    spec.unit = options().units.empty() ? "" : options().units[o];
    outputs.push_back({names[o], spec});
  }
  return outputs;
}

std::unique_ptr<Stream> OnnxModel::open(const StreamSpec& input) const {
  return open_onnx_stream(keep(this), plan(input));
}

std::optional<Locality> OnnxModel::locality() const {
  if (!states_.empty()) return std::nullopt;
  return Locality{.divisible = false};
}

bool OnnxModel::batches() const {
  const bool has_batch = options().layout.empty() || options().layout.front() == 'n';
  const auto& shape = data_input().shape;
  return has_batch && states_.empty() && !shape.empty() && shape.front() != 1;
}

NodePtr OnnxModel::batched(int n_rows) const {
  if (!batches()) return nullptr;
  if (data_input().shape.front() > 0) return shared_from_this();
  Options changed = options();
  changed.batch = n_rows;
  check_options(name, changed);
  return std::shared_ptr<OnnxModel>(new OnnxModel(std::move(changed), session_));
}

}  // namespace fastaudio
