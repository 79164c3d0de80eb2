#include <doctest/doctest.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "core/compose/sequential.hpp"
#include "core/compose/split.hpp"
#include "core/cores.hpp"
#include "core/turn.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"
#include "onnx_models.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

const StreamSpec kPatches{0.334, {187, 96}, "log10", {}, 2.99, 3.01};
constexpr std::size_t kPatch = 187 * 96;
constexpr std::size_t kTags = 50;

std::shared_ptr<OnnxModel> musicnn(OnnxModel::Options options = {}) {
  return read_model(FASTAUDIO_MODELS "/musicnn-mtt/model.onnx", std::move(options));
}

/// Log-mel values like those that the model was trained on, so that scores differ from patch to patch.
Floats some_patches(std::size_t n) {
  Floats x = Random(60).samples(n * kPatch);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (x[i] + 1) * static_cast<float>(1 + i / kPatch) / 2;
  return x;
}

}  // namespace

TEST_CASE("ONNX: a silent patch gives fifty probabilities") {
  if (!has_runtime()) return;
  const Floats scores = run(*musicnn(), kPatches, Floats(kPatch, 0.0f));
  REQUIRE(scores.size() == kTags);
  for (const float score : scores) {
    CHECK(score > 0);
    CHECK(score < 1);
  }
}

TEST_CASE("ONNX: the library is told not to phone home") {
  if (!has_runtime()) return;
  musicnn();
  const char* disabled = std::getenv("ORT_DISABLE_TELEMETRY");
  REQUIRE(disabled != nullptr);
  CHECK(std::string(disabled) == "1");
}

TEST_CASE("ONNX: any batch gives the same scores but for rounding") {
  if (!has_runtime()) return;
  const Floats x = some_patches(5);
  const Floats one_by_one = run(*musicnn({.batch = 1}), kPatches, x);
  REQUIRE(one_by_one.size() == 5 * kTags);
  CHECK(largest_difference(run(*musicnn({.batch = 2}), kPatches, x), one_by_one) < 1e-5);
  CHECK(largest_difference(run(*musicnn({.batch = 8}), kPatches, x), one_by_one) < 1e-5);
  const Floats second(one_by_one.begin() + kTags, one_by_one.begin() + 2 * kTags);
  const Floats patch(x.begin() + kPatch, x.begin() + 2 * kPatch);
  CHECK(same_bits(run(*musicnn(), kPatches, patch), second));
}

TEST_CASE("ONNX: threads and chunking change no score") {
  if (!has_runtime()) return;
  const Floats x = some_patches(5);
  const Floats one_thread = run(*musicnn({.threads = 1}), kPatches, x);
  const auto two_threads = musicnn({.threads = 2});
  CHECK(same_bits(run(*two_threads, kPatches, x), one_thread));
  CHECK(same_bits(run(*two_threads, kPatches, x, {1, 0, 3, 1}), one_thread));
}

TEST_CASE("ONNX: a batched model is the same one with another batch and the same session") {
  if (!has_runtime()) return;
  const auto model = musicnn({.outputs = {"taggram"}, .units = {"probability"}});
  const auto four = std::dynamic_pointer_cast<const OnnxModel>(model->batched(4));
  REQUIRE(four);
  CHECK(four->options().batch == 4);
  CHECK(&four->session() == &model->session());
  CHECK(four->outputs(kPatches).front().spec.unit == "probability");
  const Floats x = some_patches(5);
  CHECK(largest_difference(run(*four, kPatches, x), run(*model, kPatches, x)) < 1e-5);
  CHECK(message_of<ValueError>([&] { model->batched(0); }).starts_with("OnnxModel: expected batch in [1, "));
}

TEST_CASE("ONNX: a model's own batch is what it takes") {
  if (!has_runtime()) return;
  const auto fixed = read_model(FASTAUDIO_GOLDEN "/onnx/batch4.onnx");
  CHECK(fixed->batched(2) != nullptr);
  CHECK(read_model(FASTAUDIO_GOLDEN "/onnx/batch1.onnx")->batched(2) == nullptr);
  CHECK(read_model(FASTAUDIO_GOLDEN "/onnx/ntf.onnx", {.layout = "1tf"})->batched(2) == nullptr);
}

TEST_CASE("ONNX: a row depends on its patch alone, yet a signal isn't shared: batches and threads do that") {
  if (!has_runtime()) return;
  const auto log = std::make_shared<Log>(Log::Options{});
  const auto patches = std::make_shared<Patches>(Patches::Options{.length = 187});
  const Sequential front({log, patches});
  const Sequential chain({log, patches, musicnn()});
  const auto near = chain.locality();
  REQUIRE(near);
  CHECK(near->n_in == 187);
  CHECK(near->before == 0);
  const StreamSpec frames{62.5, {96}, "power"};
  CHECK(split(front, frames, 100000, 2).size() == 2);
  CHECK(split(chain, frames, 100000, 2).size() == 1);
}

TEST_CASE("ONNX: outputs are computed by name") {
  if (!has_runtime()) return;
  const auto model = musicnn({.outputs = {"penultimate", "taggram"}, .units = {"embedding", "probability"}});
  const auto specs = model->outputs(kPatches);
  REQUIRE(specs.size() == 2);
  CHECK(specs[0].name == "penultimate");
  CHECK(specs[0].spec.shape == std::vector<std::int64_t>{200});
  CHECK(specs[1].spec.unit == "probability");
  const Floats x = some_patches(1);
  const auto rows = run_all(*model, kPatches, x);
  CHECK(rows[0].size() == 200);
  CHECK(same_bits(rows[1], run(*model->with_outputs({"taggram"}, {}), kPatches, x)));
}

TEST_CASE("ONNX: an unknown output is told beside those there are") {
  if (!has_runtime()) return;
  const std::string message = message_of<ModelError>([] { musicnn({.outputs = {"tagram"}}); });
  CHECK(message.starts_with("OnnxModel('model.onnx'): expected outputs among ['taggram', "));
  CHECK(message.ends_with(" or inner tensors, got 'tagram'"));
}

TEST_CASE("ONNX: asking what comes out waits for nobody's run") {
  if (!has_runtime()) return;
  const auto model = read_model(FASTAUDIO_GOLDEN "/onnx/outputs.onnx", {.outputs = {"triple"}});
  std::deque<Turn> taken;
  for (unsigned i = 0; i < runs_at_once(); ++i) taken.emplace_back();
  const StreamSpec rows{2, {7, 3}, "rows", {}, 0, 0};
  CHECK(model->outputs(rows).front().spec.shape == std::vector<std::int64_t>{7, 3});  // or hangs
}

TEST_CASE("ONNX: rows of another shape are refused") {
  if (!has_runtime()) return;
  const auto model = musicnn();
  const StreamSpec narrow{0.334, {187, 64}, "log10", {}, 0, 0};
  const std::string message = message_of<ModelError>([&] { model->open(narrow); });
  CHECK(message.starts_with("OnnxModel('model.onnx'): expected rows that fit its input ["));
  CHECK(message.find("got rows [0.334 Hz, 187, 64] with layout 'ntf'") != std::string::npos);
  CHECK(message.ends_with("; axis 'f' has to be 96 long"));
}

TEST_CASE("ONNX: rows of one axis less than a network takes are windows that weren't cut") {
  if (!has_runtime()) return;
  const auto model = musicnn();
  const auto refusal = [&](std::int64_t n_mels) {
    const StreamSpec rows{62.5, {n_mels}, "log10", {}, 0, 0};
    return message_of<ModelError>([&] { model->open(rows); });
  };
  CHECK(refusal(96).ends_with("; cut windows with Patches before it, or state the axes with layout="));
  CHECK(refusal(128).ends_with("; cut windows with Patches before it, of rows of 96 values"));
}

TEST_CASE("ONNX: a file that is no model is refused, and the error names it") {
  if (!has_runtime()) return;
  const std::string message =
      message_of<ModelError>([] { OnnxModel({.path = "song.mp3"}, std::string("not a model")); });
  CHECK(message.starts_with("OnnxModel('song.mp3'): "));
}
