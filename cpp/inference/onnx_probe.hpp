/// Finds out the shapes of a model's outputs.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "inference/onnx_layout.hpp"

namespace fastaudio {
class OnnxModel;
}

namespace fastaudio::onnx {

/// The shape of a row of each output, and whether it is the output as a whole, not one row of a batch.
struct RowShapes {
  std::vector<Shape> shapes;
  std::vector<char> whole;
};

/// Remembers the shapes found so far, for nodes that share a session. It is thread-safe.
class OutputProbe {
 public:
  /// Returns the shapes without the batch axis. Where the model leaves one open, it runs on zeros, once for
  /// each input shape: on one row, and on two as well if runs may take more, which shows what follows the
  /// batch. Throws ModelError if an output doesn't have one row for each input row.
  RowShapes row_shapes(const OnnxModel& model, const Layout& layout) const;

 private:
  std::vector<Shape> run(const OnnxModel& model, const Shape& input) const;

  using Key = std::pair<Shape, std::vector<std::string>>;  ///< shape of the input, and the outputs' names

  mutable std::mutex mutex_;  ///< guards what follows
  mutable std::map<Key, std::vector<Shape>> shapes_;
};

}  // namespace fastaudio::onnx
