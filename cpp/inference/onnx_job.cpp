#include "inference/onnx_job.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "core/options.hpp"
#include "inference/onnx_edge.hpp"

namespace fastaudio {

OnnxJob::Held::Held(int type, std::size_t size, std::size_t n_rows) : element_type(type), row_size(size) {
  const std::size_t n_bytes = n_rows * row_bytes();
  // Not zeros, which might pass for results.
  memory.resize((n_bytes + sizeof(float) - 1) / sizeof(float), std::numeric_limits<float>::quiet_NaN());
}

std::size_t OnnxJob::Held::row_bytes() const { return row_size * onnx::element_size(element_type); }

void* OnnxJob::Held::at(std::size_t row) {
  return reinterpret_cast<std::byte*>(memory.data()) + row * row_bytes();
}

OnnxJob::OnnxJob(const OnnxModel& node, const OnnxModel::Plan& plan)
    : node_(node),
      plan_(plan),
      names_(node.output_names()),
      input_(node.data_input().element_type, plan.layout.row_size(), plan.layout.batch),
      samples_in_(plan.samples),
      tensors_(plan.layout.batch) {
  const std::size_t batch = plan_.layout.batch;
  if (plan_.layout.transposed && input_.element_type != onnx::kFloat) turned_.resize(input_.row_size);
  for (std::size_t o = 0; o < names_.size(); ++o) {
    const std::size_t size = onnx::n_values(plan_.row_shapes[o]);
    const int type = onnx::find(node_.session().outputs(), names_[o])->element_type;
    outputs_.emplace_back(type, size, batch);
    rows_.emplace_back(type == onnx::kFloat ? 0 : batch * size);
  }
  input_names_.push_back(node_.data_input().name.c_str());
  for (const std::string& name : names_) output_names_.push_back(name.c_str());
  for (const onnx::State& state : node_.states()) {
    input_names_.push_back(state.input.c_str());
    output_names_.push_back(state.output.c_str());
    for (int i = 0; i < 2; ++i) {
      states_.emplace_back(state.element_type, onnx::n_values(state.shape), 1);
      std::memset(states_.back().at(0), 0, states_.back().row_bytes());
    }
  }
  find_copies();
  for (const onnx::Bound& constant : node_.constants()) input_names_.push_back(constant.name.c_str());
  tensors_for(batch);
}

void OnnxJob::find_copies() {
  for (std::size_t o = 0; o < output_names_.size(); ++o) {
    for (std::size_t i = 0; i < input_names_.size(); ++i) {
      if (std::string_view(output_names_[o]) != input_names_[i]) continue;
      const Held& from = i == 0 ? input_ : states_[2 * (i - 1)];
      const Held& to = o < outputs_.size() ? outputs_[o] : states_[2 * (o - outputs_.size())];
      if (from.row_size != to.row_size) {
        throw ModelError(
            node_.session().subject() + ": expected output " + format(std::string(input_names_[i])) +
            ", which is an input as well, with the input's " + std::to_string(from.row_size) +
            " values per row, got " + std::to_string(to.row_size) + "; export it under a name of its own");
      }
      copies_.push_back({i, o, from.row_bytes()});
    }
  }
}

void OnnxJob::convert_row(const float* row, std::size_t to) {
  if (input_.element_type == onnx::kFloat) {
    plan_.layout.copy_row(row, static_cast<float*>(input_.at(to)));
    return;
  }
  if (plan_.layout.transposed) {
    plan_.layout.copy_row(row, turned_.data());
    row = turned_.data();
  }
  const auto misfit = onnx::to_type(row, input_.row_size, input_.element_type, samples_in_, input_.at(to));
  if (!misfit.found) return;
  throw ModelError(node_.session().subject() + ": expected rows that its input " +
                   format(node_.data_input().name) + " of " + onnx::type_text(input_.element_type) +
                   " can hold, got " + format(static_cast<double>(misfit.value)) +
                   "; scale the rows first, or export the network in float32");
}

void OnnxJob::fill(const float* rows, std::size_t n) {
  n_rows_ = n;
  for (std::size_t i = 0; i < n; ++i) convert_row(rows + i * input_.row_size, i);
  if (plan_.layout.fixed_batch) {
    std::memset(input_.at(n), 0, (plan_.layout.batch - n) * input_.row_bytes());
  }
}

void OnnxJob::run() {
  const std::size_t n_rows = plan_.layout.fixed_batch ? plan_.layout.batch : n_rows_;
  Tensors& tensors = tensors_for(n_rows);
  node_.session().run(input_names_, tensors.inputs, output_names_, tensors.outputs,
                      n_rows * plan_.layout.row_size());
  for (const Copy& copy : copies_) {
    std::memcpy(node_.session().values(tensors.outputs[copy.output]),
                node_.session().values(tensors.inputs[copy.input]), n_rows * copy.row_bytes);
  }
  for (std::size_t s = 0; s < node_.states().size(); ++s) {
    std::swap(tensors.inputs[1 + s], tensors.outputs[outputs_.size() + s]);
  }
  convert_outputs();
}

void OnnxJob::convert_outputs() {
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const Held& from = outputs_[o];
    if (from.element_type == onnx::kFloat) continue;
    const bool samples = node_.gives_samples(o);
    const auto misfit =
        onnx::from_type(from.values(), n_rows_ * from.row_size, from.element_type, samples, rows_[o].data());
    if (!misfit.found) continue;
    throw ModelError(node_.session().subject() + ": expected finite numbers within float32 from output " +
                     format(names_[o]) + " of " + onnx::type_text(from.element_type) + ", got " +
                     format(static_cast<double>(misfit.value)) +
                     "; look whether its rows are what it was trained with, or export it in float32");
  }
}

void OnnxJob::write(Sink& sink) const {
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const bool direct = outputs_[o].element_type == onnx::kFloat;
    const std::size_t n =
        plan_.grows[o] != 0 ? static_cast<std::size_t>(plan_.row_shapes[o].front()) : n_rows_;
    sink.write(o, direct ? outputs_[o].memory.data() : rows_[o].data(), n);
  }
}

OnnxJob::Tensors& OnnxJob::tensors_for(std::size_t n_rows) {
  Tensors& tensors = tensors_[n_rows - 1];
  if (!tensors.owned.empty()) return tensors;
  const auto add = [&](std::vector<onnx::OrtValue*>& to, void* values, int type, const onnx::Shape& shape) {
    tensors.owned.push_back(node_.session().tensor(values, type, shape));
    to.push_back(tensors.owned.back().get());
  };
  auto shape = plan_.layout.shape;
  if (plan_.layout.batch_axis == 0) shape[0] = std::int64_t(n_rows);
  add(tensors.inputs, input_.at(0), input_.element_type, shape);
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    auto out_shape = plan_.row_shapes[o];
    if (!plan_.whole[o]) out_shape.insert(out_shape.begin(), std::int64_t(n_rows));
    add(tensors.outputs, outputs_[o].at(0), outputs_[o].element_type, out_shape);
  }
  for (std::size_t s = 0; s < node_.states().size(); ++s) {
    const onnx::State& state = node_.states()[s];
    add(tensors.inputs, states_[2 * s].at(0), state.element_type, state.shape);
    add(tensors.outputs, states_[2 * s + 1].at(0), state.element_type, state.shape);
  }
  for (const onnx::Bound& constant : node_.constants()) {
    // It is only read.
    add(tensors.inputs, const_cast<std::byte*>(constant.bytes.data()), constant.element_type, constant.shape);
  }
  return tensors;
}

}  // namespace fastaudio
