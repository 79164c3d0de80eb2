#include <doctest/doctest.h>

#include <cmath>

#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// What a node is tried with. One without an entry here is tried with its defaults.
template <class T>
std::vector<typename T::Options> examples(std::type_identity<T>) {
  return {{}};
}
std::vector<Mono::Options> examples(std::type_identity<Mono>) { return {{2, {}}, {3, {}}, {3, 1}, {1, {}}}; }
std::vector<Resample::Options> examples(std::type_identity<Resample>) {
  return {{44100, 16000, "high"}, {11127, 16000, "fast"}, {16000, 48000, "best"}, {8000, 8000, "high"}};
}
std::vector<MelSpectrogram::Options> examples(std::type_identity<MelSpectrogram>) {
  return {{},
          {{.sample_rate = 16000, .n_fft = 512, .hop_length = 256, .pad_mode = "reflect"}, 96},
          {{.sample_rate = 16000, .n_fft = 512, .win_length = 400, .hop_length = 160, .center = false}, 64},
          {{.sample_rate = 11025, .n_fft = 77, .hop_length = 100}, 5, 0, {}, 1},
          {{.sample_rate = 16000,
            .n_fft = 512,
            .win_length = 400,
            .hop_length = 160,
            .window = "povey_symmetric",
            .window_at = "start",
            .pad_mode = "kaldi",
            .remove_dc = true,
            .preemphasis = 0.97},
           80}};
}
std::vector<Spectrogram::Options> examples(std::type_identity<Spectrogram>) {
  return {{},
          {{.sample_rate = 16000, .n_fft = 400, .hop_length = 160, .pad_mode = "reflect"}, 1},
          {{.sample_rate = 16000, .n_fft = 77, .hop_length = 100, .center = false}, {}}};
}
std::vector<Log::Options> examples(std::type_identity<Log>) {
  return {{}, {.kind = "log10", .scale = 1e4, .offset = 1}, {.kind = "dB", .reference = 2}};
}
std::vector<Patches::Options> examples(std::type_identity<Patches>) {
  return {{}, {5, {}, "drop", 0}, {5, 2, "pad", -1}, {4, 9, "repeat", 0}, {1, 1, "pad", 0}};
}
std::vector<MFCC::Options> examples(std::type_identity<MFCC>) {
  return {{.n_mfcc = 6}, {.n_mfcc = 3, .norm = "none", .lifter = 22, .lifter_kind = "htk"}};
}
std::vector<Delta::Options> examples(std::type_identity<Delta>) {
  return {{}, {5, 2, "interp"}, {3, 1, "nearest"}, {7, 3, "htk"}};
}
std::vector<PCEN::Options> examples(std::type_identity<PCEN>) {
  return {{},
          {.power = 0.3, .time_constants_s = {0.05, 0.4}, .initial = "first"},
          {.power = 0},
          {.bias = 0, .eps = 1e-12}};
}
std::vector<Standardize::Options> examples(std::type_identity<Standardize>) {
  return {{{0.5}, {2}}, {{1, 2, 3, 4, 5, 6}, {0.1}}};
}
std::vector<MinMaxScale::Options> examples(std::type_identity<MinMaxScale>) {
  return {{{-1}, {1}, false}, {{-1}, {0, 1, 2, 3, 4, 5}, true}};
}
std::vector<Normalize::Options> examples(std::type_identity<Normalize>) {
  return {{"max"}, {"mean"}, {"standard"}, {"min_max"}, {"standard", "clip"}};
}
std::vector<TopDb::Options> examples(std::type_identity<TopDb>) {
  return {{}, {0.5, "row", true}, {0.5, "clip", false}};
}
std::vector<Statistics::Options> examples(std::type_identity<Statistics>) {
  return {{},
          {.kinds = {"p25", "max", "min"}},
          {.kinds = {"mean", "p50"}, .window = 20, .hop = 7},
          {.window = 3, .hop = 5}};
}
std::vector<LinearSoftmaxPooling::Options> examples(std::type_identity<LinearSoftmaxPooling>) {
  return {{}, {20, 7}, {3, 5}};
}
std::vector<EnergyPatch::Options> examples(std::type_identity<EnergyPatch>) {
  return {{}, {5, 2, "pad", -1}, {1, 3}};
}
std::vector<StackChannels::Options> examples(std::type_identity<StackChannels>) {
  return {{}, {.channels = 2, .axis = "first"}};
}
std::vector<PCAWhiten::Options> examples(std::type_identity<PCAWhiten>) {
  return {{{1, 2, 3, 4, 5, 6, -6, -5, -4, -3, -2, -1}, {0, 0.1, 0.2, 0.3, 0.4, 0.5}}};
}
std::vector<Quantize::Options> examples(std::type_identity<Quantize>) {
  return {{}, {-0.5, 0.5, 4, "nearest"}};
}
std::vector<Similarity::Options> examples(std::type_identity<Similarity>) {
  return {{{1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0}, {"a", "b"}}};
}
std::vector<RMS::Options> examples(std::type_identity<RMS>) {
  return {{}, {16000, 400, 160, true, "reflect"}, {8000, 33, 50, false, "constant"}};
}
std::vector<ZeroCrossingRate::Options> examples(std::type_identity<ZeroCrossingRate>) {
  return {{}, {16000, 400, 160, true, 0.01}, {8000, 33, 50, false, 0}};
}
const std::vector<std::string> kLabels{"a", "b", "c", "d", "e", "f"};
std::vector<Tags::Options> examples(std::type_identity<Tags>) { return {{kLabels}}; }
std::vector<Events::Options> examples(std::type_identity<Events>) {
  return {{},
          {.onset = {0.5}, .offset = {-0.5}, .min_on_s = {0.03}, .min_off_s = {0.02}, .onsets = true},
          {.onset = {0, 0.1, 0.2, 0.3, 0.4, 0.5}, .smoothing_s = 0.05, .cool_down_s = {0.1}}};
}

/// The input a node is made for, or the first of some shapes that it accepts.
StreamSpec input_of(const Node& node) {
  if (const auto input = node.input()) return *input;
  const std::vector<std::vector<std::int64_t>> shapes{{6}, {}, {1}, {2}, {3}, {4, 6}, {257}};
  for (const auto& shape : shapes) {
    StreamSpec spec;
    spec.rate_hz = 100;
    spec.shape = shape;
    spec.bin_hz = 100;
    if (shape == shapes.front()) spec.labels = kLabels;
    if (message_of<ValueError>([&] { node.outputs(spec); }).empty()) return spec;
  }
  FAIL(node.repr(), " accepts none of the shapes that this test knows");
  return {};
}

/// Calls f(node, input) for each example of each node in AllNodes.
template <class F>
void for_each_example(F&& f) {
  const auto each = [&]<class T>(std::type_identity<T> type) {
    for (const auto& options : examples(type)) {
      const NodePtr node = std::make_shared<T>(options);
      const std::string name = node->repr();
      CAPTURE(name);
      f(*node, input_of(*node));
    }
  };
  std::apply([&](auto... type) { (each(type), ...); }, AllNodes{});
}

}  // namespace

TEST_CASE("every node: any chunking gives the same rows bit for bit") {
  Random random(40);
  for_each_example([&](const Node& node, const StreamSpec& input) {
    for (const std::size_t n : {0u, 1u, 2u, 7u, 400u, 9000u}) {
      CAPTURE(n);
      const Floats rows = random.samples(n * input.row_size());
      const Floats whole = run(node, input, rows);
      CHECK(whole.size() % node.outputs(input).front().spec.row_size() == 0);
      for (const int largest : {2, 50, 3000}) {
        CHECK(same_bits(run(node, input, rows, random.pieces(n, largest)), whole));
      }
    }
  });
}

TEST_CASE("every node: an empty signal gives no rows") {
  for_each_example([](const Node& node, const StreamSpec& input) {
    CHECK(run(node, input, {}).empty());
    CHECK(run(node, input, {}, {0, 0}).empty());
  });
}

TEST_CASE("every node: silence gives finite rows") {
  for_each_example([](const Node& node, const StreamSpec& input) {
    for (const float value : run(node, input, Floats(3000 * input.row_size(), 0.0f))) {
      REQUIRE(std::isfinite(value));
    }
  });
}

TEST_CASE("every node: two streams don't disturb each other") {
  Random random(41);
  for_each_example([&](const Node& node, const StreamSpec& input) {
    const std::size_t size = input.row_size();
    const Floats a = random.samples(2000 * size);
    const Floats b = random.samples(2000 * size);
    Collector from_a(node, input);
    Collector from_b(node, input);
    const auto stream_a = node.open(input);
    const auto stream_b = node.open(input);
    for (std::size_t i = 0; i < 2000; i += 100) {
      push_copy(*stream_a, &a[i * size], 100, size, from_a);
      push_copy(*stream_b, &b[i * size], 100, size, from_b);
    }
    stream_b->flush(from_b);
    stream_a->flush(from_a);
    CHECK(same_bits(from_a.outputs.front(), run(node, input, a)));
    CHECK(same_bits(from_b.outputs.front(), run(node, input, b)));
  });
}

TEST_CASE("every node: nothing is taken after flush") {
  for_each_example([](const Node& node, const StreamSpec& input) {
    const Floats row(input.row_size(), 0.0f);
    Collector sink(node, input);
    const auto stream = node.open(input);
    stream->push(row.data(), 1, sink);
    stream->flush(sink);
    CHECK(message_of<StateError>([&] { stream->push(row.data(), 1, sink); }) ==
          "stream: expected no push after flush, got one; open a new stream");
    CHECK(message_of<StateError>([&] { stream->flush(sink); }) ==
          "stream: expected no flush after flush, got one; open a new stream");
  });
}

TEST_CASE("every node: a stream outlives its node's last owner") {
  Random random(42);
  const auto each = [&]<class T>(std::type_identity<T> type) {
    NodePtr node = std::make_shared<T>(examples(type).back());
    const StreamSpec input = input_of(*node);
    const Floats rows = random.samples(3000 * input.row_size());
    const Floats want = run(*node, input, rows);
    Collector sink(*node, input);
    const auto stream = node->open(input);
    node.reset();
    stream->push(rows.data(), 3000, sink);
    stream->flush(sink);
    CHECK(same_bits(sink.outputs.front(), want));
  };
  std::apply([&](auto... type) { (each(type), ...); }, AllNodes{});
}
