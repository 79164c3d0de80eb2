#pragma once

#include <map>
#include <mutex>

#include "core/options.hpp"
#include "inference/onnx_state.hpp"

namespace fastaudio {

class OnnxModel final : public NodeOf<OnnxModel> {
 public:
  static constexpr const char* name = "OnnxModel";
  static constexpr const char* doc = R"(A network, run by ONNX Runtime.

Input:  rows of the shape that the model takes, without its batch axis (patches, say)
Output: for each name in `outputs` a row for each input row, the model's output without its batch
        axis
Latency: that of its input; its computing time is not counted

With `state` the network is recurrent: what a run leaves in those outputs is the next run's input, from zeros
at the start of each stream. Rows then go one by one, in order, whatever `batch` and `threads` say.

Source: ONNX Runtime 1.19 or later, C interface
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
          Field{"layout", &Options::layout,
                "Axes of the model's input: n batch, t first axis of a row (time), f its second "
                "(bands), c its third, 1 an axis of one; '' for n and a row's own axes. 'n1tf', 'nft'."},
          Field{"state", &Options::state,
                "Recurrent inputs, each with the output that it takes on after a run: float32 of one shape."},
          Field{"batch", &Options::batch, Range{1, 4096}, "rows",
                "Rows of a run, if the model leaves it open; never waits to fill one."},
          Field{"threads", &Options::threads, Range{1, 1024}, "",
                "Runs side by side, each on one thread: a whole file takes less time, one row doesn't. "
                "The numbers are the same with any."},
          Field{"providers", &Options::providers,
                "Execution providers in order, such as 'CPUExecutionProvider'; refused if not active."},
          Field{"sha256", &Options::sha256, "Expected hash of the file, in hex; '' to accept any."}};
    }
  };

  /// `content` is the file's content, already verified against `sha256`.
  OnnxModel(Options options, std::string content);

  /// The same model with other outputs: shares the session. Throws ModelError for unknown names.
  std::shared_ptr<OnnxModel> with_outputs(std::vector<std::string> outputs,
                                          std::vector<std::string> units) const;

  const onnx::Session& session() const { return *session_; }
  /// The input that rows go to, the only one that is no state.
  const onnx::TensorInfo& data_input() const { return session_->inputs()[data_input_]; }
  const std::vector<onnx::State>& states() const { return states_; }
  std::vector<std::string> output_names() const;
  std::string summary() const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  /// Shares the session. Itself where the model has a batch of its own; null where that is one row, or
  /// where it has state.
  std::shared_ptr<const Node> batched(int n_rows) const override;

  /// Where a row's axes go in the model's input, settled for one row shape.
  struct Plan {
    std::vector<std::int64_t> shape;   ///< of a run's input
    std::vector<std::size_t> strides;  ///< of a row, in the order of the model's axes
    std::vector<std::size_t> extents;  ///< of the model's axes that carry a row's
    bool transposed = false;           ///< whether rows have to be rearranged
    std::size_t batch = 1;             ///< rows of a run
    bool fixed_batch = false;
    int batch_axis = -1;
    std::vector<std::vector<std::int64_t>> row_shapes;  ///< of each output
  };
  Plan plan(const StreamSpec& input) const;

 private:
  OnnxModel(Options options, std::shared_ptr<onnx::Session> session);
  std::vector<Output> describe(const StreamSpec& input) const override;
  void find_data_input();
  void check_outputs();
  bool is_state_output(const std::string& output) const;
  std::vector<std::vector<std::int64_t>> row_shapes(const Plan& plan) const;
  std::vector<std::vector<std::int64_t>> probe(const Plan& plan) const;

  std::shared_ptr<onnx::Session> session_;
  std::vector<onnx::State> states_;
  std::size_t data_input_ = 0;
  mutable std::mutex mutex_;  ///< guards the cache below
  mutable std::map<std::vector<std::int64_t>, std::vector<std::vector<std::int64_t>>> probed_;
};

}  // namespace fastaudio
