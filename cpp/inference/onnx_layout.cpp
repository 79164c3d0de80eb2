#include "inference/onnx_layout.hpp"

#include <algorithm>
#include <cstring>

#include "core/options.hpp"

namespace fastaudio::onnx {

void Layout::copy_row(const float* row, float* to) const {
  if (!transposed) {
    std::memcpy(to, row, row_size() * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < extents[0]; ++i) {
    for (std::size_t j = 0; j < extents[1]; ++j) {
      const float* from = row + i * strides[0] + j * strides[1];
      for (std::size_t k = 0; k < extents[2]; ++k) *to++ = from[k * strides[2]];
    }
  }
}

std::string default_axes(const Shape& model_shape, std::size_t rank) {
  const std::string row_axes = std::string("tfc").substr(0, rank);
  return model_shape.size() == 1 && rank == 1 ? row_axes : "n" + row_axes;
}

namespace {

/// What to do where a row has another number of axes than the model takes.
std::string remedy_for_rank(const Shape& model_shape, const StreamSpec& input) {
  const std::string layout = "state the axes with layout=";
  if (model_shape.size() != input.shape.size() + 2) return "; " + layout;
  if (input.shape.size() > 1) return "; " + layout + ", or add an axis with StackChannels";
  if (input.shape.empty() || model_shape[1] == 1) return "; " + layout;
  const std::string cut = "; cut windows with Patches before it";  // a window of rows is one axis more
  const std::int64_t n = input.shape[0], middle = model_shape[1], last = model_shape[2];
  if (last < 1 || last == n) return middle < 1 ? cut + ", or " + layout : cut;
  return middle == n ? cut + ", and take layout='nft'"
                     : cut + ", of rows of " + std::to_string(last) + " values";
}

}  // namespace

Layout fit_layout(const std::string& subject, const Shape& model_shape, std::string axes,
                  const StreamSpec& input, int batch, bool has_state) {
  const std::size_t rank = input.shape.size();
  const std::string row_axes = std::string("tfc").substr(0, rank);
  if (axes.empty()) axes = default_axes(model_shape, rank);
  const auto misfit = [&](const std::string& why) {
    throw ModelError(subject + ": expected rows that fit its input " + shape_text(model_shape) +
                     ", got rows " + to_string(input) + " with layout '" + axes + "'" + why);
  };
  if (rank > 3 || axes.size() != model_shape.size()) misfit(remedy_for_rank(model_shape, input));
  Layout layout;
  std::vector<std::size_t> order;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    std::int64_t extent = 1;
    if (axes[axis] == 'n') {
      layout.batch_axis = static_cast<int>(axis);
      layout.fixed_batch = model_shape[axis] > 0;
      constexpr std::int64_t kLargestBatch = 4096;
      if (model_shape[axis] > kLargestBatch) misfit("; a batch has at most 4096 rows");
      extent = layout.fixed_batch ? model_shape[axis] : has_state ? 1 : batch;
      layout.batch = static_cast<std::size_t>(extent);
      if (has_state && extent > 1) misfit("; with state a run takes one row");
    } else if (axes[axis] != '1') {
      const std::size_t row_axis = row_axes.find(axes[axis]);
      if (row_axis >= rank || std::find(order.begin(), order.end(), row_axis) != order.end()) {
        misfit("; use n, 1 and each of '" + row_axes + "' once");
      }
      order.push_back(row_axis);
      extent = input.shape[row_axis];
    }
    if (model_shape[axis] > 0 && model_shape[axis] != extent) {
      misfit(std::string("; axis '") + axes[axis] + "' has to be " + std::to_string(model_shape[axis]) +
             " long");
    }
    layout.shape.push_back(extent);
  }
  if (order.size() != rank || layout.batch_axis > 0) misfit("; use n first, and each axis of a row once");
  layout.transposed = !std::is_sorted(order.begin(), order.end());
  std::vector<std::size_t> row_strides(rank, 1);
  for (std::size_t i = rank; i-- > 1;) {
    row_strides[i - 1] = row_strides[i] * static_cast<std::size_t>(input.shape[i]);
  }
  layout.extents.assign(3 - rank, 1);
  layout.strides.assign(3 - rank, 0);
  for (const std::size_t row_axis : order) {
    layout.extents.push_back(static_cast<std::size_t>(input.shape[row_axis]));
    layout.strides.push_back(row_strides[row_axis]);
  }
  return layout;
}

}  // namespace fastaudio::onnx
