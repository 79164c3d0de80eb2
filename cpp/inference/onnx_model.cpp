#include "inference/onnx_model.hpp"

#include <algorithm>

#include "dsp/aligned.hpp"
#include "inference/onnx_stream.hpp"

namespace fastaudio {

namespace {

std::string default_layout(std::size_t rank) { return "n" + std::string("tfc").substr(0, rank); }

}  // namespace

OnnxModel::OnnxModel(Options o, std::string content) : NodeOf(std::move(o)) {
  // A key "location", as tensors have whose values lie in another file, which no hash would cover.
  if (content.find(std::string("\x0a\x08location\x12")) != std::string::npos) {
    throw ModelError("OnnxModel(" + format(options().path) +
                     "): expected all weights inside the file, got some in another; save it as one file");
  }
  session_ = std::make_shared<onnx::Session>("OnnxModel(" + format(options().path) + ")", std::move(content),
                                             options().providers);
  find_data_input();
  check_outputs();
}

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
  throw ModelError(session_->subject() + ": expected a model with one float32 input" +
                   (states_.empty() ? "" : " beside its state") + ", got " + format(others) +
                   (others.size() > 1 ? "; name recurrent ones with state=" : ""));
}

bool OnnxModel::is_state_output(const std::string& output) const {
  return std::any_of(states_.begin(), states_.end(),
                     [&](const auto& state) { return state.output == output; });
}

void OnnxModel::check_outputs() {
  const std::string& subject = session_->subject();
  std::vector<std::string> known;
  for (const auto& info : session_->outputs()) {
    if (!is_state_output(info.name)) known.push_back(info.name);
  }
  if (known.empty()) {
    throw ModelError(subject + ": expected a model with outputs" +
                     (states_.empty() ? "" : " beside its state") + ", got none");
  }
  const auto wanted_names = output_names();
  for (std::size_t i = 0; i < wanted_names.size(); ++i) {
    if (std::find(wanted_names.begin(), wanted_names.begin() + std::ptrdiff_t(i), wanted_names[i]) !=
        wanted_names.begin() + std::ptrdiff_t(i)) {
      throw ValueError(subject + ": expected different outputs, got " + format(wanted_names[i]) + " twice");
    }
  }
  for (const std::string& wanted : wanted_names) {
    if (std::find(known.begin(), known.end(), wanted) == known.end()) {
      throw ModelError(subject + ": expected outputs among " + format(known) + ", got " + format(wanted));
    }
    const auto& infos = session_->outputs();
    const auto info =
        std::find_if(infos.begin(), infos.end(), [&](const auto& other) { return other.name == wanted; });
    if (info->element_type != onnx::kFloat) {
      throw ModelError(subject + ": expected float32 from output " + format(wanted) + ", got another type");
    }
  }
  if (!options().units.empty() && options().units.size() != output_names().size()) {
    throw ValueError(subject + ": expected a unit for each of " + std::to_string(output_names().size()) +
                     " outputs, got " + format(options().units));
  }
}

std::vector<std::string> OnnxModel::output_names() const {
  if (!options().outputs.empty()) return options().outputs;
  for (const auto& info : session_->outputs()) {
    if (!is_state_output(info.name)) return {info.name};
  }
  return {};
}

std::string OnnxModel::summary() const {
  const std::size_t slash = options().path.find_last_of("/\\");
  return "OnnxModel(" + format(options().path.substr(slash == std::string::npos ? 0 : slash + 1)) + ")";
}

OnnxModel::Plan OnnxModel::plan(const StreamSpec& input) const {
  const std::string& subject = session_->subject();
  const auto& model_shape = data_input().shape;
  const std::size_t rank = input.shape.size();
  const std::string layout = options().layout.empty() ? default_layout(rank) : options().layout;
  const auto misfit = [&](const std::string& why) {
    throw ModelError(subject + ": expected rows that fit its input " + onnx::shape_text(model_shape) +
                     ", got rows " + to_string(input) + " with layout '" + layout + "'" + why);
  };
  if (rank > 3 || layout.size() != model_shape.size()) misfit("; state the axes with layout=");
  Plan plan;
  std::vector<std::size_t> order;
  for (std::size_t axis = 0; axis < layout.size(); ++axis) {
    std::int64_t extent = 1;
    if (layout[axis] == 'n') {
      plan.batch_axis = static_cast<int>(axis);
      plan.fixed_batch = model_shape[axis] > 0;
      constexpr std::int64_t kLargestBatch = 4096;
      if (model_shape[axis] > kLargestBatch) misfit("; a batch has at most 4096 rows");
      const std::int64_t open_batch = states_.empty() ? options().batch : 1;
      plan.batch = static_cast<std::size_t>(plan.fixed_batch ? model_shape[axis] : open_batch);
      if (!states_.empty() && plan.batch > 1) misfit("; with state a run takes one row");
      extent = static_cast<std::int64_t>(plan.batch);
    } else if (layout[axis] != '1') {
      const std::size_t row_axis = std::string("tfc").find(layout[axis]);
      if (row_axis >= rank || std::find(order.begin(), order.end(), row_axis) != order.end()) {
        misfit("; use n, 1 and each of '" + std::string("tfc").substr(0, rank) + "' once");
      }
      order.push_back(row_axis);
      extent = input.shape[row_axis];
    }
    if (model_shape[axis] > 0 && model_shape[axis] != extent) misfit("");
    plan.shape.push_back(extent);
  }
  if (order.size() != rank || plan.batch_axis > 0) misfit("; use n first, and each axis of a row once");
  plan.transposed = !std::is_sorted(order.begin(), order.end());
  std::vector<std::size_t> row_strides(rank, 1);
  for (std::size_t i = rank; i-- > 1;) {
    row_strides[i - 1] = row_strides[i] * static_cast<std::size_t>(input.shape[i]);
  }
  plan.extents.assign(3 - rank, 1);
  plan.strides.assign(3 - rank, 0);
  for (const std::size_t row_axis : order) {
    plan.extents.push_back(static_cast<std::size_t>(input.shape[row_axis]));
    plan.strides.push_back(row_strides[row_axis]);
  }
  plan.row_shapes = row_shapes(plan);
  return plan;
}

std::vector<std::vector<std::int64_t>> OnnxModel::row_shapes(const Plan& plan) const {
  const auto names = output_names();
  std::vector<std::vector<std::int64_t>> shapes;
  bool open = false;
  for (const std::string& wanted : names) {
    for (const auto& info : session_->outputs()) {
      if (info.name != wanted) continue;
      shapes.push_back(info.shape);
      const auto from = info.shape.begin() + (info.shape.empty() ? 0 : 1);
      open = open || info.shape.empty() || std::any_of(from, info.shape.end(), [](auto n) { return n < 0; });
    }
  }
  if (open) shapes = probe(plan);
  for (std::size_t o = 0; o < names.size(); ++o) {
    const auto batch = static_cast<std::int64_t>(plan.batch);
    const bool per_row = !shapes[o].empty() && (shapes[o].front() == batch || shapes[o].front() < 0);
    if (!per_row) {
      throw ModelError(session_->subject() + ": expected output " + format(names[o]) +
                       " with one row for each input row, got shape " + onnx::shape_text(shapes[o]));
    }
    shapes[o].erase(shapes[o].begin());
    StreamSpec row;
    row.shape = shapes[o];
    try {
      check_spec(row);
    } catch (const ValueError& error) {
      throw ModelError(session_->subject() + ": output " + format(names[o]) + ": " + error.what());
    }
  }
  return shapes;
}

/// Output shapes that the model doesn't state: one run on zeros tells, once for each input shape.
std::vector<std::vector<std::int64_t>> OnnxModel::probe(const Plan& plan) const {
  const std::lock_guard lock(mutex_);
  const auto known = probed_.find(plan.shape);
  if (known != probed_.end()) return known->second;
  std::vector<std::vector<std::int64_t>> shapes;
  const auto names = output_names();
  std::size_t size = 1;
  for (const std::int64_t n : plan.shape) size *= static_cast<std::size_t>(n);
  for (const onnx::State& state : states_) size = std::max(size, state.size());
  dsp::AlignedFloats zeros(size, 0.0f);
  std::vector<onnx::Handle<onnx::OrtValue>> owned;
  std::vector<const char*> input_names;
  std::vector<onnx::OrtValue*> inputs;
  const auto add = [&](const std::string& input_name, const std::vector<std::int64_t>& shape) {
    owned.push_back(session_->tensor(zeros.data(), shape));
    inputs.push_back(owned.back().get());
    input_names.push_back(input_name.c_str());
  };
  add(data_input().name, plan.shape);
  for (const onnx::State& state : states_) add(state.input, state.shape);
  std::vector<const char*> pointers;
  for (const std::string& wanted : names) pointers.push_back(wanted.c_str());
  std::vector<onnx::OrtValue*> values(names.size(), nullptr);
  session_->run(input_names, inputs, pointers, values);
  for (onnx::OrtValue* value : values) shapes.push_back(session_->take_shape(value));
  probed_[plan.shape] = shapes;
  return shapes;
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
  return open_onnx_stream(keep(this), plan(input), input.row_size());
}

std::optional<Locality> OnnxModel::locality() const {
  if (!states_.empty()) return std::nullopt;
  return Locality{.divisible = false};
}

std::shared_ptr<const Node> OnnxModel::batched(int n_rows) const {
  const bool has_batch = options().layout.empty() || options().layout.front() == 'n';
  if (!has_batch || !states_.empty()) return nullptr;
  const auto& shape = data_input().shape;
  if (shape.empty() || shape.front() == 1) return nullptr;
  if (shape.front() > 0) return shared_from_this();
  Options changed = options();
  changed.batch = n_rows;
  return std::shared_ptr<OnnxModel>(new OnnxModel(std::move(changed), session_));
}

}  // namespace fastaudio
