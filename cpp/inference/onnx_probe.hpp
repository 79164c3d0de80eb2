/// Finds out the shapes of a model's outputs.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "inference/onnx_layout.hpp"

namespace fastaudio {
class OnnxModel;
}

namespace fastaudio::onnx {

/// Remembers the shapes found so far. It is thread-safe.
class OutputProbe {
 public:
  /// Returns the shape of a row of each output, without the batch axis. Where the model leaves it open, it
  /// runs once on zeros, on two rows at most, once for each input shape. Throws ModelError if an output
  /// doesn't have one row for each input row.
  std::vector<Shape> row_shapes(const OnnxModel& model, const Layout& layout) const;

 private:
  std::vector<Shape> run(const OnnxModel& model, const Shape& input) const;

  mutable std::timed_mutex mutex_;                      ///< guards what follows
  mutable std::map<Shape, std::vector<Shape>> shapes_;  ///< output shapes by input shape
};

}  // namespace fastaudio::onnx
