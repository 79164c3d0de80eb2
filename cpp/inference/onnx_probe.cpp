#include "inference/onnx_probe.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/interrupt.hpp"
#include "core/turn.hpp"
#include "dsp/aligned.hpp"
#include "inference/onnx_edge.hpp"
#include "inference/onnx_model.hpp"

namespace fastaudio::onnx {

RowShapes OutputProbe::row_shapes(const OnnxModel& model, const Layout& layout) const {
  const auto names = model.output_names();
  std::vector<Shape> shapes;
  std::vector<char> whole;
  const bool one_row = layout.one_row();
  const bool open_batch = layout.batch_axis == 0 && !layout.fixed_batch;
  bool open = false;
  for (const std::string& name : names) {
    const Shape& shape = shapes.emplace_back(find(model.session().outputs(), name)->shape);
    // Where the batch is open, a fixed first axis of that extent need not be it: state of two directions.
    const bool misleads = open_batch && layout.batch > 1 && !shape.empty() && shape.front() >= 0;
    const bool known = !shape.empty() && !misleads && (shape.front() >= 0 || !one_row) &&
                       std::all_of(shape.begin() + 1, shape.end(), [](auto n) { return n >= 0; });
    open = open || !known;
  }
  auto batch = static_cast<std::int64_t>(layout.batch);
  std::vector<Shape> of_one;  // run with one row, if runs may take more
  if (open) {
    Shape input = layout.shape;
    if (open_batch && batch > 1) {
      input[0] = 1;
      of_one = run(model, input);
      // Two rows tell as much as a whole batch, in less time and memory.
      input[0] = batch = 2;
    }
    shapes = run(model, input);
  }
  for (std::size_t o = 0; o < names.size(); ++o) {
    const std::string& subject = model.session().subject();
    Shape& shape = shapes[o];
    bool of_rows = !shape.empty() && (shape.front() == batch || shape.front() < 0);
    std::string other;
    if (!of_one.empty()) {
      Shape expected = of_one[o];
      of_rows = of_rows && !expected.empty() && expected.front() == 1;
      if (of_rows) expected.front() = shape.front();
      of_rows = of_rows && expected == shape;
      other = " from two input rows, and " + shape_text(of_one[o]) + " from one";
    }
    if (!of_rows && batch > 1) {
      throw ModelError(subject + ": expected output " + format(names[o]) +
                       " with one row for each input row, got shape " + shape_text(shape) + other +
                       "; if a run gives one row only, leave out batch=");
    }
    if (of_rows) shape.erase(shape.begin());
    whole.push_back(of_rows ? 0 : 1);
    StreamSpec row;
    row.shape = shape;
    try {
      check_spec(row);
    } catch (const ValueError& error) {
      throw ModelError(subject + ": output " + format(names[o]) + ": " + error.what());
    }
  }
  return {std::move(shapes), std::move(whole)};
}

std::vector<Shape> OutputProbe::run(const OnnxModel& model, const Shape& input) const {
  constexpr std::chrono::milliseconds kLook{1};
  std::unique_lock lock(mutex_, std::defer_lock);
  while (!lock.try_lock()) {
    std::this_thread::sleep_for(kLook);
    check_interrupt();
  }
  const auto names = model.output_names();
  const Key key(input, names);
  const auto known = shapes_.find(key);
  if (known != shapes_.end()) return known->second;
  const Session& session = model.session();
  const auto bytes_of = [](const Shape& shape, int type) { return n_values(shape) * element_size(type); };
  std::size_t size = bytes_of(input, model.data_input().element_type);
  for (const State& state : model.states()) size = std::max(size, bytes_of(state.shape, state.element_type));
  dsp::AlignedFloats zeros(size / sizeof(float) + 1, 0.0f);
  std::vector<Handle<OrtValue>> owned;
  std::vector<const char*> input_names;
  std::vector<OrtValue*> inputs;
  const auto add = [&](const std::string& name, void* data, int type, const Shape& shape) {
    owned.push_back(session.tensor(data, type, shape));
    inputs.push_back(owned.back().get());
    input_names.push_back(name.c_str());
  };
  add(model.data_input().name, zeros.data(), model.data_input().element_type, input);
  for (const State& state : model.states()) add(state.input, zeros.data(), state.element_type, state.shape);
  for (const Bound& each : model.constants()) {
    // It is only read.
    add(each.name, const_cast<std::byte*>(each.bytes.data()), each.element_type, each.shape);
  }
  std::vector<const char*> output_names;
  for (const std::string& name : names) output_names.push_back(name.c_str());
  std::vector<OrtValue*> outputs(names.size(), nullptr);
  const TurnsAtOnce now;  // with the lock held, and maybe Python's too, a wait would stop everyone
  session.run(input_names, inputs, output_names, outputs, n_values(input));
  std::vector<Shape> shapes;
  for (OrtValue* output : outputs) shapes.push_back(session.take_shape(output));
  return shapes_[key] = shapes;
}

}  // namespace fastaudio::onnx
