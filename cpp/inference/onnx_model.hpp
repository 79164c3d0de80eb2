#pragma once

#include <map>

#include "core/options.hpp"
#include "inference/onnx_probe.hpp"
#include "inference/onnx_state.hpp"

namespace fastaudio {

class OnnxModel final : public NodeOf<OnnxModel> {
 public:
  static constexpr const char* name = "OnnxModel";
  static constexpr bool untimed = true;  ///< a budget for building leaves out its first run
  static constexpr const char* doc = R"(Runs a network with ONNX Runtime.

Input:  rows of the shape that the model takes, without its batch axis (patches, for example)
Output: for each name in `outputs`, one row for each input row: the model's output without its batch axis
Latency: the same as its input's; computing time isn't counted

With `state` the network is recurrent: the next run's input is what a run leaves in those outputs, and each
stream starts from zeros. Rows then run one by one, in order, whatever `batch` and `threads` are.

Source: ONNX Runtime 1.25 or later, C interface
)";
  struct Options {
    std::string path;
    std::vector<std::string> outputs;
    std::vector<std::string> units;
    std::string layout;
    std::map<std::string, std::string> state;
    int batch = 1;
    int threads = 1;
    std::vector<std::string> providers;
    std::string sha256;
    static constexpr auto fields() {
      return std::tuple{
          Field{"path", &Options::path, "The .onnx file.", Place::positional},
          Field{"outputs", &Options::outputs, "Names of the outputs to compute; empty for the first."},
          Field{"units", &Options::units, "Unit of each output, such as 'probability'."},
          Field{
              "layout", &Options::layout,
              "Axes of the model's input, such as 'n1tf' or 'nft': n is the batch, t the first axis of a row "
              "(time), f its second (bands), c its third, and 1 an axis of one. '' means n and the row's "
              "axes in order."},
          Field{"state", &Options::state,
                "Recurrent inputs, each with the output whose values it takes after a run; both are float32 "
                "of one shape."},
          Field{"batch", &Options::batch, Range{1, 4096}, "rows",
                "Most rows per run, if the model leaves it open; a run never waits until it is full."},
          Field{"threads", &Options::threads, Range{1, 1024}, "",
                "Runs at the same time, each on one thread: a whole file takes less time, one row doesn't. "
                "The numbers don't depend on it."},
          Field{"providers", &Options::providers,
                "Execution providers in order, such as 'CPUExecutionProvider'; those that aren't active are "
                "refused."},
          Field{"sha256", &Options::sha256, "Expected hash of the file, in hex; '' to accept any."}};
    }
  };

  /// `content` is the file's content, which was already verified against `sha256`.
  OnnxModel(Options options, std::string content);

  /// Returns the same model with other outputs; it shares the session. Throws ModelError for unknown names.
  std::shared_ptr<OnnxModel> with_outputs(std::vector<std::string> outputs,
                                          std::vector<std::string> units) const;

  const onnx::Session& session() const { return *session_; }
  /// Returns the input that rows go to, which is the only one that isn't a state.
  const onnx::TensorInfo& data_input() const { return session_->inputs()[data_input_]; }
  const std::vector<onnx::State>& states() const { return states_; }
  std::vector<std::string> output_names() const;
  std::string summary() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  bool batches() const override;
  /// The result shares the session. It is this node if the model fixes its batch, and null if it fixes one
  /// row or has state.
  NodePtr batched(int n_rows) const override;

  /// Holds what a stream needs to know about rows of one shape.
  struct Plan {
    onnx::Layout layout;
    std::vector<onnx::Shape> row_shapes;  ///< shape of a row of each output
  };
  Plan plan(const StreamSpec& input) const;

 private:
  OnnxModel(Options options, std::shared_ptr<onnx::Session> session);
  void find_data_input();
  void check_outputs() const;
  /// Returns the names of all outputs that aren't states.
  std::vector<std::string> data_outputs() const;

  std::shared_ptr<onnx::Session> session_;
  std::vector<onnx::State> states_;
  std::size_t data_input_ = 0;
  onnx::OutputProbe probe_;
};

}  // namespace fastaudio
