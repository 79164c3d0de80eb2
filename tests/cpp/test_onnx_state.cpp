#include <doctest/doctest.h>

#include "helpers.hpp"
#include "onnx_models.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

const StreamSpec kTriples{10, {3}, "", {}, 0.1, 0};
constexpr std::size_t kWidth = 3;

/// Whole numbers, whose sums are exact.
Floats some_rows(std::size_t n) {
  Random random(80);
  Floats x(n * kWidth);
  for (float& value : x) value = static_cast<float>(random.integer(-9, 9));
  return x;
}

Floats summed(Floats x) {
  for (std::size_t i = kWidth; i < x.size(); ++i) x[i] += x[i - kWidth];
  return x;
}

}  // namespace

TEST_CASE("ONNX state: what a run leaves is what the next one takes, in any chunks") {
  if (!has_runtime()) return;
  const Floats x = some_rows(40);
  const auto model = running_sum();
  CHECK(run(*model, kTriples, x) == summed(x));
  CHECK(run(*model, kTriples, x, {1, 0, 7, 1, 20}) == summed(x));
}

TEST_CASE("ONNX state: streams have their own, zeros at the start") {
  if (!has_runtime()) return;
  const auto model = running_sum();
  const Floats x = some_rows(10);
  Collector first(*model, kTriples), second(*model, kTriples);
  const auto a = model->open(kTriples), b = model->open(kTriples);
  for (std::size_t k = 0; k < 10; ++k) {
    a->push(&x[k * kWidth], 1, first);
    if (k % 2 == 0) b->push(&x[0], 2, second);
  }
  CHECK(first.outputs[0] == summed(x));
  CHECK(run(*model, kTriples, x) == summed(x));
}

TEST_CASE("ONNX state: rows go in order whatever the threads and the batch") {
  if (!has_runtime()) return;
  const Floats x = some_rows(30);
  CHECK(run(*running_sum(4), kTriples, x) == summed(x));
  const auto batch =
      read_model(FASTAUDIO_GOLDEN "/onnx/state.onnx", {.state = {{"h", "h_next"}}, .batch = 8, .threads = 2});
  CHECK(run(*batch, kTriples, x, {5}) == summed(x));
}

TEST_CASE("ONNX state: a row depends on all before it, so nothing is shared or batched") {
  if (!has_runtime()) return;
  const auto model = running_sum();
  CHECK(!model->locality());
  CHECK(model->batched(4) == nullptr);
  const auto stateless = read_model(FASTAUDIO_GOLDEN "/onnx/ntf.onnx");
  CHECK(stateless->locality());
  CHECK(stateless->batched(4) != nullptr);
}

TEST_CASE("ONNX state: after an error inside a run the stream is broken") {
  if (!has_runtime()) return;
  const auto model = read_model(FASTAUDIO_GOLDEN "/onnx/state_grows.onnx", {.state = {{"h", "h_next"}}});
  Collector rows(*model, kTriples);
  const auto stream = model->open(kTriples);
  const Floats good{1, 1, 1}, bad{2, 2, 2};
  stream->push(good.data(), 1, rows);
  CHECK(message_of<ModelError>([&] { stream->push(bad.data(), 1, rows); }).starts_with("OnnxModel("));
  CHECK(message_of<StateError>([&] { stream->push(good.data(), 1, rows); }).find("after an error") !=
        std::string::npos);
}
