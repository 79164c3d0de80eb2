#include "inference/onnx_probe.hpp"

#include <algorithm>
#include <chrono>

#include "core/interrupt.hpp"
#include "core/turn.hpp"
#include "dsp/aligned.hpp"
#include "inference/onnx_model.hpp"

namespace fastaudio::onnx {

std::vector<Shape> OutputProbe::row_shapes(const OnnxModel& model, const Layout& layout) const {
  const auto names = model.output_names();
  std::vector<Shape> shapes;
  bool open = false;
  for (const std::string& name : names) {
    const Shape& shape = shapes.emplace_back(find(model.session().outputs(), name)->shape);
    open = open || shape.empty() || std::any_of(shape.begin() + 1, shape.end(), [](auto n) { return n < 0; });
  }
  auto batch = static_cast<std::int64_t>(layout.batch);
  if (open) {
    Shape input = layout.shape;
    // Two rows tell as much as a whole batch, in less time and memory.
    if (layout.batch_axis == 0 && !layout.fixed_batch) input[0] = batch = std::min<std::int64_t>(batch, 2);
    shapes = run(model, input);
  }
  for (std::size_t o = 0; o < names.size(); ++o) {
    const std::string& subject = model.session().subject();
    Shape& shape = shapes[o];
    if (shape.empty() || (shape.front() != batch && shape.front() >= 0)) {
      throw ModelError(subject + ": expected output " + format(names[o]) +
                       " with one row for each input row, got shape " + shape_text(shape));
    }
    shape.erase(shape.begin());
    StreamSpec row;
    row.shape = shape;
    try {
      check_spec(row);
    } catch (const ValueError& error) {
      throw ModelError(subject + ": output " + format(names[o]) + ": " + error.what());
    }
  }
  return shapes;
}

std::vector<Shape> OutputProbe::run(const OnnxModel& model, const Shape& input) const {
  constexpr std::chrono::milliseconds kLook{20};
  std::unique_lock lock(mutex_, std::defer_lock);
  while (!lock.try_lock_for(kLook)) check_interrupt();
  const auto known = shapes_.find(input);
  if (known != shapes_.end()) return known->second;
  const Session& session = model.session();
  std::size_t size = n_values(input);
  for (const State& state : model.states()) size = std::max(size, n_values(state.shape));
  dsp::AlignedFloats zeros(size, 0.0f);
  std::vector<Handle<OrtValue>> owned;
  std::vector<const char*> input_names;
  std::vector<OrtValue*> inputs;
  const auto add = [&](const std::string& name, const Shape& shape) {
    owned.push_back(session.tensor(zeros.data(), shape));
    inputs.push_back(owned.back().get());
    input_names.push_back(name.c_str());
  };
  add(model.data_input().name, input);
  for (const State& state : model.states()) add(state.input, state.shape);
  const auto names = model.output_names();
  std::vector<const char*> output_names;
  for (const std::string& name : names) output_names.push_back(name.c_str());
  std::vector<OrtValue*> outputs(names.size(), nullptr);
  const TurnsAtOnce now;  // with the lock held, and maybe Python's too, a wait would stop everyone
  session.run(input_names, inputs, output_names, outputs, n_values(input));
  std::vector<Shape> shapes;
  for (OrtValue* output : outputs) shapes.push_back(session.take_shape(output));
  return shapes_[input] = shapes;
}

}  // namespace fastaudio::onnx
