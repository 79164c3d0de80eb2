/// Recurrent tensors: what one run gives out, the next takes in.
#pragma once

#include <map>

#include "inference/onnx_session.hpp"

namespace fastaudio::onnx {

struct State {
  std::string input;
  std::string output;
  std::vector<std::int64_t> shape;  ///< for one row a run

  std::size_t size() const {
    std::size_t size = 1;
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    return size;
  }
};

/// The model's own, for a name of an output by the name of an input. An open axis is the batch's, one of
/// each tensor at most. Throws ModelError for names, types and shapes that don't fit.
std::vector<State> find_states(const Session& session, const std::map<std::string, std::string>& names);

/// "[2, ?, 128]".
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace fastaudio::onnx
