/// A job is one run of a network: it holds the rows, the results and their tensors.
#pragma once

#include <string>
#include <vector>

#include "dsp/aligned.hpp"
#include "inference/onnx_model.hpp"

namespace fastaudio {

/// It can run again and again. Tensors for fewer rows than a batch are made when a run first needs them.
/// Recurrent tensors begin as zeros, and the next run reads what a run leaves in them. `node` and `plan` must
/// outlive it.
class OnnxJob {
 public:
  OnnxJob(const OnnxModel& node, const OnnxModel::Plan& plan);

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

  /// An output that has an input's name has its values. That is a legal network, yet ONNX Runtime doesn't
  /// fill the output, so it is filled here.
  struct Copy {
    std::size_t input;
    std::size_t output;
    std::size_t row_bytes;
  };

  /// A tensor of one run, as the network has it.
  struct Held {
    int element_type;
    std::size_t row_size;  ///< values
    dsp::AlignedFloats memory;
    Held(int type, std::size_t size, std::size_t n_rows);
    void* at(std::size_t row);
    const void* values() const { return memory.data(); }
    std::size_t row_bytes() const;
  };

  void find_copies();
  Tensors& tensors_for(std::size_t n_rows);
  void convert_row(const float* row, std::size_t to);
  void convert_outputs();

  const OnnxModel& node_;
  const OnnxModel::Plan& plan_;
  std::size_t n_rows_ = 0;
  std::vector<std::string> names_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<Copy> copies_;
  Held input_;
  bool samples_in_;            ///< whether rows are sound, which has a scale in integers
  dsp::AlignedFloats turned_;  ///< a row in the model's order, on its way to another type
  std::vector<Held> outputs_;
  std::vector<dsp::AlignedFloats> rows_;  ///< of outputs that aren't float32
  std::vector<Held> states_;              ///< two of each: a run reads one and writes the other
  std::vector<Tensors> tensors_;          ///< by number of rows - 1
};

}  // namespace fastaudio
