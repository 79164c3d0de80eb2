#include "inference/onnx_state.hpp"

#include <algorithm>
#include <set>

#include "core/options.hpp"
#include "inference/onnx_edge.hpp"
#include "inference/onnx_names.hpp"

namespace fastaudio::onnx {

namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 24;

const TensorInfo& require(const Session& session, const std::vector<TensorInfo>& infos,
                          const std::string& name, const char* which) {
  if (const TensorInfo* info = find(infos, name)) return *info;
  const auto known = names_of(infos);
  throw UnknownTensor(session.subject() + ": expected state " + which + " among " + short_text(known), known,
                      name);
}

/// An open axis agrees with any extent.
bool agree(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](auto m, auto n) { return m == n || m < 0 || n < 0; });
}

}  // namespace

std::vector<State> find_states(const Session& session, const std::map<std::string, std::string>& names) {
  const std::string& subject = session.subject();
  std::vector<State> states;
  std::set<std::string> taken;
  std::int64_t left = kLargest;
  for (const auto& [input_name, output_name] : names) {
    const TensorInfo& input = require(session, session.inputs(), input_name, "inputs");
    const TensorInfo& output = require(session, session.outputs(), output_name, "outputs");
    if (!taken.insert(output_name).second) {
      throw ModelError(subject + ": expected a state output for each input, got " + format(output_name) +
                       " twice");
    }
    if (input.element_type != output.element_type || element_size(input.element_type) == 0) {
      throw ModelError(subject + ": expected state " + format(input_name) + " and " + format(output_name) +
                       " of one type of numbers, got " + type_text(input.element_type) + " and " +
                       type_text(output.element_type) + "; export both in one");
    }
    auto shape = input.shape;
    if (std::count_if(shape.begin(), shape.end(), [](auto n) { return n < 0; }) > 1) {
      throw ModelError(subject + ": expected state " + format(input_name) +
                       " with no open axis but the batch's, got shape " + shape_text(shape) +
                       "; export it with fixed axes");
    }
    std::replace_if(shape.begin(), shape.end(), [](auto n) { return n < 0; }, std::int64_t{1});
    if (!agree(shape, output.shape)) {
      throw ModelError(subject + ": expected state " + format(input_name) + " and " + format(output_name) +
                       " of one shape, got " + shape_text(input.shape) + " and " + shape_text(output.shape));
    }
    std::int64_t size = 1;
    for (const std::int64_t n : shape) {
      if (n < 1 || n > left / size) {
        throw ModelError(subject + ": expected from 1 to 2**24 values in a state, and in all of them, got " +
                         shape_text(input.shape) + " in " + format(input_name));
      }
      size *= n;
    }
    left -= size;
    states.push_back({input_name, output_name, input.element_type, std::move(shape)});
  }
  return states;
}

}  // namespace fastaudio::onnx
