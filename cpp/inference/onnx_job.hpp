/// One run of a network: its rows, its results and the tensors that hold them.
#pragma once

#include <string>
#include <vector>

#include "dsp/aligned.hpp"
#include "inference/onnx_model.hpp"

namespace fastaudio {

/// Tensors of one run at a time. Runs of fewer rows than a batch have their own, made at their first.
/// Recurrent tensors begin as zeros; what a run leaves in them is what the next one reads. `node` and `plan`
/// must outlive it.
class OnnxJob {
 public:
  OnnxJob(const OnnxModel& node, const OnnxModel::Plan& plan, std::size_t row_size);

  /// Takes `n` in [1, batch] rows.
  void fill(const float* rows, std::size_t n);
  void run();
  void write(Sink& sink) const;

 private:
  struct Tensors {
    std::vector<onnx::Handle<onnx::OrtValue>> owned;
    std::vector<onnx::OrtValue*> inputs;
    std::vector<onnx::OrtValue*> outputs;
  };

  Tensors& prepare(std::size_t n_rows);
  void place(const float* row, float* to) const;

  const OnnxModel& node_;
  const OnnxModel::Plan& plan_;
  std::size_t row_size_;
  std::size_t n_rows_ = 0;
  std::vector<std::string> names_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  dsp::AlignedFloats input_;
  std::vector<dsp::AlignedFloats> outputs_;
  std::vector<dsp::AlignedFloats> states_;  ///< two of each: one is read, the other written
  std::vector<Tensors> tensors_;            ///< by number of rows - 1
};

}  // namespace fastaudio
