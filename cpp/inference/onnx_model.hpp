#pragma once

#include <map>

#include "core/options.hpp"
#include "inference/onnx_constant.hpp"
#include "inference/onnx_probe.hpp"
#include "inference/onnx_state.hpp"
#include "inference/onnx_together.hpp"

namespace fastaudio {

class OnnxModel final : public NodeOf<OnnxModel> {
 public:
  static constexpr const char* name = "OnnxModel";
  static constexpr bool untimed = true;  ///< a budget for building leaves out its first run
  static constexpr const char* doc = R"(Runs a network with ONNX Runtime.

Input:  rows of the shape that the model takes, without its batch axis (patches, for example)
Output: for each name in `outputs`, one row for each input row: the model's output without its batch axis, or
        as a whole if it has none. With `clip_rows`, one row per clip, or, from an output whose first axis
        is as long as the clip, a row for each input row, at their rate
Latency: the same as its input's; computing time isn't counted. With `clip_rows`, the whole clip

Rows are float32. If the model's input or an output has another type (float16, float64, bool, integers), they are
converted. Integers are the nearest ones. Rows whose unit is 'samples' are sound: +-1 is then the full scale of
int8, int16, int32 and of uint8 around 128, and what is beyond is clipped; the same holds for an output whose unit in
`units` is 'samples'. Any other number that the type can't hold is an error, and so is a number that isn't finite
in an output of another type; float32 outputs come as they are, and `Tags` says whether all were finite.

With `state` the network is recurrent: the next run's input is what a run leaves in those outputs, and each
stream starts from zeros. Rows then run one by one, in order, whatever `batch` and `threads` are.

`outputs` may name any tensor of the graph, not only its outputs; `fastaudio models net.onnx --tensors` lists them.

Weights may lie in files beside the network, as exporters write them (net.onnx.data). A card states each one's hash
in `external`; without `sha256` and `external`, the files that the network names are read from its folder. The node
then holds the hashes of what it read, and whatever reads the files again (saving, packing, pickling, exporting)
refuses those that were changed meanwhile.

Source: ONNX Runtime 1.25 or later, C interface
)";
  struct Options {
    std::string path;
    std::vector<std::string> outputs;
    std::vector<std::string> units;
    std::string layout;
    std::map<std::string, std::string> state;
    onnx::Constants inputs;
    int clip_rows = 0;
    int batch = 1;
    int threads = 1;
    onnx::Providers providers;
    std::string sha256;
    std::map<std::string, std::string> external;
    static constexpr auto fields() {
      return std::tuple{
          Field{"path", &Options::path, "The .onnx file.", Place::positional},
          Field{"outputs", &Options::outputs,
                "Names of the tensors to give out; empty for the network's first output."},
          Field{"units", &Options::units, "Unit of each output, such as 'probability'."},
          Field{
              "layout", &Options::layout,
              "Axes of the model's input, such as 'n1tf' or 'nft': n is the batch, t the first axis of a row "
              "(time), f its second (bands), c its third, and 1 an axis of one. '' means n and the row's "
              "axes in order, or only these if the model has one axis and the row too."},
          Field{
              "state", &Options::state,
              "Recurrent inputs, each with the output whose values it takes after a run; both have one type "
              "and shape."},
          Field{"inputs", &Options::inputs,
                "Further inputs with what each always is: a number, or lists of numbers. They take the "
                "model's types, and are refused if those can't hold them."},
          Field{
              "clip_rows", &Options::clip_rows, Range{0, 1 << 28}, "rows",
              "Most rows of a clip that is one run, at its end; 0 makes each row a run. The time axis comes "
              "in front of a row's, and the model leaves it open."},
          Field{
              "batch", &Options::batch, Range{1, 4096}, "rows",
              "Most rows per run, if the model leaves it open; a run never waits until it is full. Above 1 a "
              "few made-up rows are run first, and a model that gives them other numbers together than "
              "alone is refused."},
          Field{"threads", &Options::threads, Range{1, 1024}, "",
                "Runs at the same time, each on one thread: a whole file takes less time, one row doesn't. "
                "The numbers don't depend on it."},
          Field{"providers", &Options::providers,
                "Execution providers in order, such as 'CPUExecutionProvider', or each with its options: "
                "('CUDAExecutionProvider', {'device_id': '0'}). Those that aren't active are refused."},
          Field{"sha256", &Options::sha256,
                "Expected hash of the file, in hex; '' to accept any, and to hold that of the file that was "
                "read."},
          Field{"external", &Options::external,
                "Files with weights beside the network, by the names that it has for them, each with its "
                "hash in hex."}};
    }
  };

  /// `content` is the file's content, which was already verified against `sha256`, and `beside` those of the
  /// files that it refers to, against `external`.
  OnnxModel(Options options, std::string content, onnx::Beside beside = {});

  /// A file with weights: the hash that it has to have, or '' for any, and how many bytes at its front
  /// matter.
  struct FileBeside {
    std::string sha256;
    std::optional<std::uint64_t> n_bytes;  ///< all, if there is no number
  };

  /// Returns the files that a network refers to.
  /// Throws ModelError if `external` doesn't state those of all of them, where a hash is stated at all.
  static std::map<std::string, FileBeside> files_beside(const Options& options, std::string_view content);

  /// Returns the same model with other outputs; it shares the session if that gives them out. Throws
  /// ModelError for unknown names.
  std::shared_ptr<OnnxModel> with_outputs(std::vector<std::string> outputs,
                                          std::vector<std::string> units) const;

  const onnx::Session& session() const { return *session_; }
  /// Returns the input that rows go to, which is the only one that is neither a state nor constant.
  const onnx::TensorInfo& data_input() const { return session_->inputs()[data_input_]; }
  const std::vector<onnx::State>& states() const { return states_; }
  const std::vector<onnx::Bound>& constants() const { return constants_; }
  /// Names of the outputs that the network itself has, states left out.
  std::vector<std::string> own_outputs() const;
  /// Whether what an output gives is sound.
  bool gives_samples(std::size_t output) const;
  std::vector<std::string> output_names() const;
  std::string summary() const override;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  bool batches() const override;
  /// The result shares the session; null if the model fixes one row or has state.
  NodePtr batched(int n_rows) const override;

  /// Holds what a stream needs to know about rows of one shape.
  struct Plan {
    onnx::Layout layout;
    std::vector<onnx::Shape> row_shapes;  ///< shape of a row of each output
    std::vector<char> whole;              ///< for each output, whether a row is all that a run gives
    bool samples = false;                 ///< whether rows are sound
    std::vector<char> grows;  ///< for each output, whether a clip's run gives rows on its first axis
  };
  Plan plan(const StreamSpec& input) const;

  /// Changes a plan made for a clip of any length to one for a clip of `n_rows`.
  void fit_clip(Plan& plan, const StreamSpec& input, std::size_t n_rows) const;

 private:
  OnnxModel(Options options, std::shared_ptr<onnx::Session> session);
  void find_data_input();
  void check_outputs() const;
  Plan clip_plan(const StreamSpec& input) const;
  /// Sets which outputs grow with a clip: the plan is for `n` rows, and the same is made for `other`. Returns
  /// whether any does. Throws ModelError if one changes otherwise.
  bool compare(Plan& plan, const StreamSpec& input, std::size_t n, std::size_t other) const;
  Plan plan_of(const StreamSpec& input) const;
  /// Throws ModelError if rows of one run change each other.
  void check_batch(const Plan& plan) const;

  std::shared_ptr<onnx::Session> session_;
  std::vector<onnx::State> states_;
  std::vector<onnx::Bound> constants_;
  std::size_t data_input_ = 0;
  /// Shared by nodes with one session.
  std::shared_ptr<onnx::OutputProbe> probe_ = std::make_shared<onnx::OutputProbe>();
  std::shared_ptr<onnx::MixedRows> mixed_ = std::make_shared<onnx::MixedRows>();
};

namespace onnx {

/// Runs a plan with a batch on a few made-up rows, alone and together; returns the first output where they
/// differ by more than rounding.
Mixed find_mixed(const OnnxModel& model, OnnxModel::Plan plan);

}  // namespace onnx

}  // namespace fastaudio
