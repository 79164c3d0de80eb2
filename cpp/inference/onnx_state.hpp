/// States are recurrent tensors: the next run takes in what a run gives out.
#pragma once

#include <map>

#include "inference/onnx_session.hpp"

namespace fastaudio::onnx {

struct State {
  std::string input;
  std::string output;
  int element_type = 0;
  Shape shape;  ///< shape when a run takes one row
};

/// Returns the model's states; `names` has the name of an input and of the output that it takes its values
/// from. Each tensor may have one open axis, the batch's. Throws ModelError for names, types and shapes that
/// don't fit.
std::vector<State> find_states(const Session& session, const std::map<std::string, std::string>& names);

}  // namespace fastaudio::onnx
