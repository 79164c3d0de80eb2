#include "inference/onnx_job.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fastaudio {

OnnxJob::OnnxJob(const OnnxModel& node, const OnnxModel::Plan& plan, std::size_t row_size)
    : node_(node), plan_(plan), row_size_(row_size), names_(node.output_names()), tensors_(plan.batch) {
  input_.resize(plan_.batch * row_size_, 0.0f);
  for (const auto& shape : plan_.row_shapes) {
    std::size_t size = plan_.batch;
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    outputs_.emplace_back(size, 0.0f);
  }
  input_names_.push_back(node_.data_input().name.c_str());
  for (const std::string& name : names_) output_names_.push_back(name.c_str());
  for (const onnx::State& state : node_.states()) {
    input_names_.push_back(state.input.c_str());
    output_names_.push_back(state.output.c_str());
    for (int i = 0; i < 2; ++i) states_.emplace_back(state.size(), 0.0f);
  }
  prepare(plan_.batch);
}

void OnnxJob::fill(const float* rows, std::size_t n) {
  n_rows_ = n;
  for (std::size_t i = 0; i < n; ++i) place(rows + i * row_size_, &input_[i * row_size_]);
  if (plan_.fixed_batch) {
    std::fill(input_.begin() + static_cast<std::ptrdiff_t>(n * row_size_), input_.end(), 0.0f);
  }
}

void OnnxJob::run() {
  Tensors& tensors = prepare(plan_.fixed_batch ? plan_.batch : n_rows_);
  node_.session().run(input_names_, tensors.inputs, output_names_, tensors.outputs);
  for (std::size_t s = 0; s < node_.states().size(); ++s) {
    std::swap(tensors.inputs[1 + s], tensors.outputs[outputs_.size() + s]);
  }
}

void OnnxJob::write(Sink& sink) const {
  for (std::size_t o = 0; o < outputs_.size(); ++o) sink.write(o, outputs_[o].data(), n_rows_);
}

OnnxJob::Tensors& OnnxJob::prepare(std::size_t n_rows) {
  Tensors& tensors = tensors_[n_rows - 1];
  if (!tensors.owned.empty()) return tensors;
  const auto add = [&](std::vector<onnx::OrtValue*>& to, dsp::AlignedFloats& values,
                       const std::vector<std::int64_t>& shape) {
    tensors.owned.push_back(node_.session().tensor(values.data(), shape));
    to.push_back(tensors.owned.back().get());
  };
  auto shape = plan_.shape;
  if (plan_.batch_axis >= 0) shape[static_cast<std::size_t>(plan_.batch_axis)] = std::int64_t(n_rows);
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

/// Copies a row with its axes in the model's order.
void OnnxJob::place(const float* row, float* to) const {
  if (!plan_.transposed) {
    std::memcpy(to, row, row_size_ * sizeof(float));
    return;
  }
  const auto& n = plan_.extents;
  const auto& step = plan_.strides;
  for (std::size_t i = 0; i < n[0]; ++i) {
    for (std::size_t j = 0; j < n[1]; ++j) {
      const float* from = row + i * step[0] + j * step[1];
      for (std::size_t k = 0; k < n[2]; ++k) *to++ = from[k * step[2]];
    }
  }
}

}  // namespace fastaudio
