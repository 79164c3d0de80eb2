#include "inference/onnx_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <unordered_map>

#include "core/budget.hpp"
#include "inference/onnx_edge.hpp"
#include "inference/onnx_names.hpp"
#include "inference/onnx_stream.hpp"

namespace fastaudio {

namespace {

constexpr const char* kSamples = "samples";
constexpr std::size_t kMostOutputs = 4096;

std::string subject_of(const OnnxModel::Options& options) {
  return "OnnxModel(" + format(options.path) + ")";
}

std::shared_ptr<onnx::Session> load(const OnnxModel::Options& options, std::string content,
                                    onnx::Beside beside) {
  check_options(OnnxModel::name, options);
  const auto network =
      onnx::read_network(subject_of(options), std::move(content), std::move(beside), options.providers);
  return std::make_shared<onnx::Session>(network, options.outputs);
}

/// "'x' float32 [?, 3]"
std::string text_of(const onnx::TensorInfo& info) {
  return onnx::short_text(info.name) + " " + onnx::type_text(info.element_type) + " " +
         onnx::shape_text(info.shape);
}

/// Rows of a clip as one row.
StreamSpec as_one(StreamSpec input, std::size_t n_rows) {
  input.shape.insert(input.shape.begin(), static_cast<std::int64_t>(n_rows));
  return input;
}

/// Whether an output of these shapes has a row for each of the clip's, which are `n` and `m`.
bool grows_with(const onnx::Shape& a, std::size_t n, const onnx::Shape& b, std::size_t m) {
  const auto is = [](std::int64_t extent, std::size_t rows) {
    return extent == static_cast<std::int64_t>(rows);
  };
  return n != m && !a.empty() && !b.empty() && is(a.front(), n) && is(b.front(), m) &&
         std::equal(a.begin() + 1, a.end(), b.begin() + 1, b.end());
}

}  // namespace

std::map<std::string, OnnxModel::FileBeside> OnnxModel::files_beside(const Options& options,
                                                                     std::string_view content) {
  const std::string subject = subject_of(options);
  std::map<std::string, FileBeside> files;
  const bool any = options.sha256.empty() && options.external.empty();
  for (const auto& [name, n_bytes] : onnx::files_beside(subject, content)) {
    const auto stated = options.external.find(name);
    if (stated == options.external.end() && !any) {
      throw ModelError(subject + ": expected the hash of each file with weights, got none of " +
                       format(name) + "; add it: external={" + format(name) + ": '<its sha256>'}");
    }
    files[name] = {any ? "" : stated->second, n_bytes};
  }
  for (const auto& [name, sha256] : options.external) {
    if (files.contains(name)) continue;
    throw ModelError(subject + ": expected in external only files that the network has weights in, got " +
                     format(name) + "; leave it out");
  }
  return files;
}

OnnxModel::OnnxModel(Options options, std::string content, onnx::Beside beside)
    : OnnxModel(options, load(options, std::move(content), std::move(beside))) {}

OnnxModel::OnnxModel(Options o, std::shared_ptr<onnx::Session> session)
    : NodeOf(std::move(o)), session_(std::move(session)) {
  find_data_input();
  check_outputs();
}

std::shared_ptr<OnnxModel> OnnxModel::with_outputs(std::vector<std::string> outputs,
                                                   std::vector<std::string> units) const {
  Options changed = options();
  auto session = session_;
  const bool given = std::all_of(outputs.begin(), outputs.end(), [&](const std::string& name) {
    return onnx::find(session_->outputs(), name) != nullptr;
  });
  if (!given) session = std::make_shared<onnx::Session>(session_->network(), outputs);
  changed.outputs = std::move(outputs);
  changed.units = std::move(units);
  return std::shared_ptr<OnnxModel>(new OnnxModel(std::move(changed), std::move(session)));
}

void OnnxModel::find_data_input() {
  const std::string& subject = session_->subject();
  states_ = onnx::find_states(*session_, options().state);
  constants_ = onnx::bind(*session_, options().inputs);
  std::vector<std::size_t> others;
  const auto& inputs = session_->inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool constant = options().inputs.contains(inputs[i].name);
    const bool state = options().state.contains(inputs[i].name);
    if (constant && state) {
      throw ModelError(subject + ": expected an input as a state or constant, got " + format(inputs[i].name) +
                       " as both; leave it out of state= or inputs=");
    }
    if (!constant && !state) others.push_back(i);
  }
  for (const onnx::State& state : states_) {
    if (!options().inputs.contains(state.output)) continue;
    throw ModelError(subject + ": expected an output that a run computes for state " + format(state.input) +
                     ", got the constant " + format(state.output) + "; give it another output in state=");
  }
  if (others.size() == 1) {
    data_input_ = others.front();
    if (onnx::element_size(data_input().element_type) > 0) return;
    throw ModelError(subject + ": expected rows of " + onnx::convertible_types() + ", got input " +
                     text_of(data_input()) + "; export it in float32");
  }
  std::string got;
  for (std::size_t i = 0; i < std::min(others.size(), onnx::kListed); ++i) {
    got += (got.empty() ? "" : ", ") + text_of(inputs[others[i]]);
  }
  if (others.size() > onnx::kListed) got += " and " + std::to_string(others.size() - onnx::kListed) + " more";
  throw ModelError(subject + ": expected one input for the rows, got " + (got.empty() ? "none" : got) +
                   (got.empty()
                        ? "; leave that one out of state= and inputs="
                        : "; give the others what they always are with inputs={name: number}, and name "
                          "recurrent ones with state="));
}

std::vector<std::string> OnnxModel::own_outputs() const {
  auto names = onnx::names_of(session_->outputs());
  names.resize(session_->n_own_outputs());
  for (const auto& state : states_) std::erase(names, state.output);
  return names;
}

void OnnxModel::check_outputs() const {
  const std::string& subject = session_->subject();
  std::unordered_map<std::string_view, const onnx::TensorInfo*> known;
  for (const auto& output : session_->outputs()) known.emplace(output.name, &output);
  for (const auto& state : states_) known.erase(state.output);
  if (own_outputs().empty()) {
    throw ModelError(subject + ": expected a model with outputs" +
                     (states_.empty() ? "" : " beside its state") + ", got none");
  }
  const auto names = output_names();
  if (names.size() > kMostOutputs) {
    throw ValueError(subject + ": expected at most " + std::to_string(kMostOutputs) + " outputs, got " +
                     std::to_string(names.size()) + "; leave some out");
  }
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      throw ValueError(subject + ": expected different outputs, got " + format(name) + " twice");
    }
    const auto found = known.find(name);
    if (found == known.end()) {  // the session has it
      throw ModelError(subject + ": expected outputs among " + onnx::short_text(own_outputs()) + ", got " +
                       onnx::short_text(name) +
                       ", which is a state; choose another, or leave it out of state=");
    }
    const onnx::TensorInfo& output = *found->second;
    if (onnx::element_size(output.element_type) == 0) {
      throw ModelError(subject + ": expected outputs of " + onnx::convertible_types() + ", got " +
                       text_of(output) + "; export it in float32, or choose another output");
    }
    if (options().inputs.contains(name)) {
      throw ModelError(subject + ": expected an output that a run computes, got the constant " +
                       format(name) + "; choose another output");
    }
  }
  if (!options().units.empty() && options().units.size() != names.size()) {
    throw ValueError(subject + ": expected a unit for each of " + std::to_string(names.size()) +
                     " outputs, got " + onnx::short_text(options().units));
  }
}

std::vector<std::string> OnnxModel::output_names() const {
  if (!options().outputs.empty()) return options().outputs;
  return {own_outputs().front()};
}

bool OnnxModel::gives_samples(std::size_t output) const {
  return !options().units.empty() && options().units[output] == kSamples;
}

std::string OnnxModel::summary() const {
  const std::size_t slash = options().path.find_last_of("/\\");
  return "OnnxModel(" + format(options().path.substr(slash == std::string::npos ? 0 : slash + 1)) + ")";
}

OnnxModel::Plan OnnxModel::plan(const StreamSpec& input) const {
  return options().clip_rows > 0 ? clip_plan(input) : plan_of(input);
}

OnnxModel::Plan OnnxModel::plan_of(const StreamSpec& input) const {
  const int batch = options().clip_rows > 0 ? 1 : options().batch;
  auto layout = onnx::fit_layout(session_->subject(), data_input().shape, options().layout, input, batch,
                                 !states_.empty());
  onnx::require_size(session_->subject(), "input", layout.shape);
  if (const Budget* budget = Budget::current()) {
    const Budget::At at(name);
    budget->check_run(static_cast<double>(layout.batch) * static_cast<double>(layout.row_size()));
  }
  auto rows = probe_->row_shapes(*this, layout);
  const auto names = output_names();
  for (std::size_t o = 0; o < names.size(); ++o) {
    auto shape = rows.shapes[o];
    shape.insert(shape.begin(), static_cast<std::int64_t>(layout.batch));
    onnx::require_size(session_->subject(), "output " + format(names[o]), shape);
  }
  std::vector<char> grows(names.size(), 0);
  Plan plan{std::move(layout), std::move(rows.shapes), std::move(rows.whole), input.unit == kSamples,
            std::move(grows)};
  if (batch > 1) check_batch(plan);
  return plan;
}

void OnnxModel::check_batch(const Plan& plan) const {
  if (plan.layout.batch == 1) return;
  auto shape = plan.layout.shape;
  if (!plan.layout.fixed_batch) shape.front() = 0;  // what was found holds for a batch of any length
  const auto mixed = mixed_->find(shape, output_names(), [&] { return onnx::find_mixed(*this, plan); });
  if (mixed.output.empty()) return;
  throw ModelError(session_->subject() + ": expected rows that get the same numbers together as alone, got " +
                   (std::isfinite(mixed.apart) ? "some " + format(mixed.apart) + " apart in output "
                                               : "others in output ") +
                   format(mixed.output) + "; leave out batch=, so that each row is a run");
}

OnnxModel::Plan OnnxModel::clip_plan(const StreamSpec& input) const {
  const auto most = static_cast<std::size_t>(options().clip_rows);
  if (const Budget* budget = Budget::current()) {
    const Budget::At at(name);
    budget->check_run(static_cast<double>(most) * static_cast<double>(input.row_size()));
  }
  // A second, unless the network needs more. Of one row, an axis of time would look like the batch's.
  const double rate_hz = std::min(std::ceil(input.rate_hz), static_cast<double>(most));
  const std::size_t second = std::min(std::max(static_cast<std::size_t>(rate_hz), std::size_t{2}), most);
  for (const std::size_t n : {second, std::min(10 * second, most), most}) {
    Plan plan;
    try {
      plan = plan_of(as_one(input, n));
    } catch (const BudgetError&) {
      throw;
    } catch (const ModelError&) {
      if (n == most) throw;
      continue;
    }
    const std::size_t other = n > 1 && n == most ? n - 1 : std::min(2 * n, most);
    // Networks that pad to a multiple give as many rows as a clip has only for round lengths.
    if (compare(plan, input, n, other) && n + 1 < other) compare(plan, input, n, n + 1);
    return plan;
  }
  throw ModelError(session_->subject() + ": expected clips, got none");
}

bool OnnxModel::compare(Plan& plan, const StreamSpec& input, std::size_t n, std::size_t other) const {
  const Plan another = plan_of(as_one(input, other));
  bool any = false;
  for (std::size_t o = 0; o < plan.row_shapes.size(); ++o) {
    const onnx::Shape &shape = plan.row_shapes[o], &changed = another.row_shapes[o];
    plan.grows[o] = grows_with(shape, n, changed, other) ? 1 : 0;
    any = any || plan.grows[o] != 0;
    if (shape == changed || plan.grows[o] != 0) continue;
    throw ModelError(session_->subject() +
                     ": expected outputs of one shape for clips of any length, or with " +
                     "a row for each of the clip's, got " + onnx::shape_text(shape) + " from " +
                     std::to_string(n) + " rows and " + onnx::shape_text(changed) + " from " +
                     std::to_string(other) + " in " + onnx::short_text(output_names()[o]) +
                     "; leave out clip_rows and cut the sound into windows with Patches");
  }
  return any;
}

void OnnxModel::fit_clip(Plan& plan, const StreamSpec& input, std::size_t n_rows) const {
  plan.layout = onnx::fit_layout(session_->subject(), data_input().shape, options().layout,
                                 as_one(input, n_rows), 1, !states_.empty());
  onnx::require_size(session_->subject(), "input", plan.layout.shape);
  for (std::size_t o = 0; o < plan.grows.size(); ++o) {
    if (plan.grows[o] == 0) continue;
    plan.row_shapes[o].front() = static_cast<std::int64_t>(n_rows);
    onnx::require_size(session_->subject(), "output " + format(output_names()[o]), plan.row_shapes[o]);
  }
}

std::vector<Output> OnnxModel::describe(const StreamSpec& input) const {
  const Plan plan = this->plan(input);
  const auto names = output_names();
  std::vector<Output> outputs;
  for (std::size_t o = 0; o < names.size(); ++o) {
    StreamSpec spec = input;
    spec.shape = plan.row_shapes[o];
    spec.unit = options().units.empty() ? "" : options().units[o];
    if (options().clip_rows > 0) {
      spec.clear_axis();
      spec.kind = StreamSpec::Kind::rows;
      if (plan.grows[o] != 0) {
        spec.shape.erase(spec.shape.begin());
        spec.latency_s = std::numeric_limits<double>::infinity();
        if (spec.shape.empty() && gives_samples(o)) spec.kind = StreamSpec::Kind::samples;
      } else {
        spec.rate_hz = spec.span_s = 0;
      }
    }
    outputs.push_back({names[o], spec});
  }
  return outputs;
}

std::unique_ptr<Stream> OnnxModel::open(const StreamSpec& input) const {
  return open_onnx_stream(keep(this), plan(input), input);
}

std::optional<Locality> OnnxModel::locality() const {
  if (!states_.empty() || options().clip_rows > 0) return std::nullopt;
  return Locality{.divisible = false};
}

bool OnnxModel::batches() const {
  const auto& shape = data_input().shape;
  const bool has_batch = options().layout.empty() ? shape.size() > 1 : options().layout.front() == 'n';
  return has_batch && states_.empty() && options().clip_rows == 0 && !shape.empty() && shape.front() != 1;
}

NodePtr OnnxModel::batched(int n_rows) const {
  if (!batches()) return nullptr;
  Options changed = options();
  changed.batch = n_rows;
  check_options(name, changed);
  std::shared_ptr<OnnxModel> model(new OnnxModel(std::move(changed), session_));
  model->probe_ = probe_;
  model->mixed_ = mixed_;
  return model;
}

}  // namespace fastaudio
