/// Says where the axes of a row go in a model's input.
#pragma once

#include "core/spec.hpp"
#include "inference/onnx_session.hpp"

namespace fastaudio::onnx {

/// Says how rows of one shape fill the input of a run.
struct Layout {
  Shape shape;                       ///< shape of a run's input
  std::vector<std::size_t> extents;  ///< [3] extents of the row's axes, in the model's order; 1 in front
  std::vector<std::size_t> strides;  ///< [3] their strides in the row, in the same order
  bool transposed = false;           ///< whether the model's order isn't the row's
  std::size_t batch = 1;             ///< rows per run
  bool fixed_batch = false;          ///< whether each run takes a whole batch, filled up with zeros
  int batch_axis = -1;               ///< 0, or -1 if the model has none

  /// Whether a run takes one row, and gives an output as a whole: its first axis is none of rows, unless it
  /// is one.
  bool one_row() const { return batch == 1 && (batch_axis < 0 || fixed_batch); }

  std::size_t row_size() const { return extents[0] * extents[1] * extents[2]; }

  /// Copies a row, with its axes in the model's order.
  void copy_row(const float* row, float* to) const;
};

/// The axes of a model's input if no layout is given: the batch's and those of a row of `rank` axes, or only
/// these if the model has one axis and the row too.
std::string default_axes(const Shape& model_shape, std::size_t rank);

/// Fits rows of `input` into a model's input of `model_shape`, whose axes are named as in the option `layout`
/// of OnnxModel. `batch` applies if the model leaves it open; with state, a run takes one row. Throws
/// ModelError, whose text begins with `subject`, if rows don't fit.
Layout fit_layout(const std::string& subject, const Shape& model_shape, std::string axes,
                  const StreamSpec& input, int batch, bool has_state);

}  // namespace fastaudio::onnx
