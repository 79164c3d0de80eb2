#include "inference/onnx_job.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "core/options.hpp"

namespace fastaudio {

OnnxJob::OnnxJob(const OnnxModel& node, const OnnxModel::Plan& plan)
    : node_(node), plan_(plan), names_(node.output_names()), tensors_(plan.layout.batch) {
  const std::size_t batch = plan_.layout.batch;
  input_.resize(batch * plan_.layout.row_size(), 0.0f);
  // Not zeros, which might pass for results.
  constexpr float kUnwritten = std::numeric_limits<float>::quiet_NaN();
  for (const auto& shape : plan_.row_shapes) outputs_.emplace_back(batch * onnx::n_values(shape), kUnwritten);
  input_names_.push_back(node_.data_input().name.c_str());
  for (const std::string& name : names_) output_names_.push_back(name.c_str());
  for (const onnx::State& state : node_.states()) {
    input_names_.push_back(state.input.c_str());
    output_names_.push_back(state.output.c_str());
    for (int i = 0; i < 2; ++i) states_.emplace_back(onnx::n_values(state.shape), 0.0f);
  }
  find_copies();
  tensors_for(batch);
}

void OnnxJob::find_copies() {
  const auto& states = node_.states();
  for (std::size_t o = 0; o < output_names_.size(); ++o) {
    for (std::size_t i = 0; i < input_names_.size(); ++i) {
      if (std::string_view(output_names_[o]) != input_names_[i]) continue;
      const std::size_t from = i == 0 ? plan_.layout.row_size() : onnx::n_values(states[i - 1].shape);
      const std::size_t to = o < outputs_.size() ? onnx::n_values(plan_.row_shapes[o])
                                                 : onnx::n_values(states[o - outputs_.size()].shape);
      if (from != to) {
        throw ModelError(
            node_.session().subject() + ": expected output " + format(std::string(input_names_[i])) +
            ", which is an input as well, with the input's " + std::to_string(from) +
            " values per row, got " + std::to_string(to) + "; export it under a name of its own");
      }
      copies_.push_back({i, o, from});
    }
  }
}

void OnnxJob::fill(const float* rows, std::size_t n) {
  n_rows_ = n;
  const std::size_t size = plan_.layout.row_size();
  for (std::size_t i = 0; i < n; ++i) plan_.layout.copy_row(rows + i * size, &input_[i * size]);
  if (plan_.layout.fixed_batch) {
    std::fill(input_.begin() + static_cast<std::ptrdiff_t>(n * size), input_.end(), 0.0f);
  }
}

void OnnxJob::run() {
  const std::size_t n_rows = plan_.layout.fixed_batch ? plan_.layout.batch : n_rows_;
  Tensors& tensors = tensors_for(n_rows);
  node_.session().run(input_names_, tensors.inputs, output_names_, tensors.outputs,
                      n_rows * plan_.layout.row_size());
  for (const Copy& copy : copies_) {
    std::memcpy(node_.session().values(tensors.outputs[copy.output]),
                node_.session().values(tensors.inputs[copy.input]), n_rows * copy.row_size * sizeof(float));
  }
  for (std::size_t s = 0; s < node_.states().size(); ++s) {
    std::swap(tensors.inputs[1 + s], tensors.outputs[outputs_.size() + s]);
  }
}

void OnnxJob::write(Sink& sink) const {
  for (std::size_t o = 0; o < outputs_.size(); ++o) sink.write(o, outputs_[o].data(), n_rows_);
}

OnnxJob::Tensors& OnnxJob::tensors_for(std::size_t n_rows) {
  Tensors& tensors = tensors_[n_rows - 1];
  if (!tensors.owned.empty()) return tensors;
  const auto add = [&](std::vector<onnx::OrtValue*>& to, dsp::AlignedFloats& values,
                       const onnx::Shape& shape) {
    tensors.owned.push_back(node_.session().tensor(values.data(), shape));
    to.push_back(tensors.owned.back().get());
  };
  auto shape = plan_.layout.shape;
  if (plan_.layout.batch_axis == 0) shape[0] = std::int64_t(n_rows);
  add(tensors.inputs, input_, shape);
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    auto out_shape = plan_.row_shapes[o];
    out_shape.insert(out_shape.begin(), std::int64_t(n_rows));
    add(tensors.outputs, outputs_[o], out_shape);
  }
  for (std::size_t s = 0; s < node_.states().size(); ++s) {
    add(tensors.inputs, states_[2 * s], node_.states()[s].shape);
    add(tensors.outputs, states_[2 * s + 1], node_.states()[s].shape);
  }
  return tensors;
}

}  // namespace fastaudio
