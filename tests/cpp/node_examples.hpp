/// Examples of every node in AllNodes, for laws that hold for all of them.
#pragma once

#include <doctest/doctest.h>

#include "helpers.hpp"
#include "nodes/all.hpp"
#include "nodes/list.hpp"

namespace fastaudio::test {

/// The options that a node is tried with. A node without an entry here is tried with its defaults.
template <class T>
std::vector<typename T::Options> examples(std::type_identity<T>) {
  return {{}};
}
inline std::vector<Mono::Options> examples(std::type_identity<Mono>) {
  return {{2, {}}, {3, {}}, {3, 1}, {1, {}}};
}
inline std::vector<Preemphasis::Options> examples(std::type_identity<Preemphasis>) {
  return {{}, {16000, 0.5, true}, {8000, -1, false}};
}
inline std::vector<Resample::Options> examples(std::type_identity<Resample>) {
  return {{44100, 16000, "high"}, {11127, 16000, "fast"}, {16000, 48000, "best"}, {8000, 8000, "high"}};
}
inline std::vector<MelSpectrogram::Options> examples(std::type_identity<MelSpectrogram>) {
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
inline std::vector<Spectrogram::Options> examples(std::type_identity<Spectrogram>) {
  return {{},
          {{.sample_rate = 16000, .n_fft = 400, .hop_length = 160, .pad_mode = "reflect"}, 1},
          {{.sample_rate = 16000, .n_fft = 77, .hop_length = 100, .center = false}, {}}};
}
inline std::vector<Log::Options> examples(std::type_identity<Log>) {
  return {{}, {.kind = "log10", .scale = 1e4, .offset = 1}, {.kind = "dB", .reference = 2}};
}
inline std::vector<Patches::Options> examples(std::type_identity<Patches>) {
  return {{}, {5, {}, "drop", 0}, {5, 2, "pad", -1}, {4, 9, "repeat", 0}, {1, 1, "pad", 0}};
}
inline std::vector<MFCC::Options> examples(std::type_identity<MFCC>) {
  return {{.n_mfcc = 6}, {.n_mfcc = 3, .norm = "none", .lifter = 22, .lifter_kind = "htk"}};
}
inline std::vector<Delta::Options> examples(std::type_identity<Delta>) {
  return {{}, {5, 2, "interp"}, {3, 1, "nearest"}, {7, 3, "htk"}};
}
inline std::vector<PCEN::Options> examples(std::type_identity<PCEN>) {
  return {{},
          {.power = 0.3, .time_constants_s = {0.05, 0.4}, .initial = "first"},
          {.power = 0},
          {.bias = 0, .eps = 1e-12}};
}
inline std::vector<Standardize::Options> examples(std::type_identity<Standardize>) {
  return {{{0.5}, {2}}, {{1, 2, 3, 4, 5, 6}, {0.1}}};
}
inline std::vector<MinMaxScale::Options> examples(std::type_identity<MinMaxScale>) {
  return {{{-1}, {1}, false}, {{-1}, {0, 1, 2, 3, 4, 5}, true}};
}
inline std::vector<Normalize::Options> examples(std::type_identity<Normalize>) {
  return {{"max"}, {"mean"}, {"standard"}, {"min_max"}, {"rms"}, {"energy"}, {"standard", "clip"}};
}
inline std::vector<TopDb::Options> examples(std::type_identity<TopDb>) {
  return {{}, {0.5, "row", true}, {0.5, "clip", false}};
}
inline std::vector<Statistics::Options> examples(std::type_identity<Statistics>) {
  return {{},
          {.kinds = {"p25", "max", "min"}},
          {.kinds = {"mean", "p50"}, .window = 20, .hop = 7},
          {.window = 3, .hop = 5}};
}
inline std::vector<LinearSoftmaxPooling::Options> examples(std::type_identity<LinearSoftmaxPooling>) {
  return {{}, {20, 7}, {3, 5}};
}
inline std::vector<EnergyPatch::Options> examples(std::type_identity<EnergyPatch>) {
  return {{}, {5, 2, "pad", -1}, {1, 3}};
}
inline std::vector<StackChannels::Options> examples(std::type_identity<StackChannels>) {
  return {{}, {.channels = 2, .axis = "first"}};
}
inline std::vector<PCAWhiten::Options> examples(std::type_identity<PCAWhiten>) {
  return {{{1, 2, 3, 4, 5, 6, -6, -5, -4, -3, -2, -1}, {0, 0.1, 0.2, 0.3, 0.4, 0.5}}};
}
inline std::vector<Quantize::Options> examples(std::type_identity<Quantize>) {
  return {{}, {-0.5, 0.5, 4, "nearest"}};
}
inline std::vector<Similarity::Options> examples(std::type_identity<Similarity>) {
  return {{{1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0}, {"a", "b"}}};
}
inline std::vector<RMS::Options> examples(std::type_identity<RMS>) {
  return {{}, {16000, 400, 160, true, "reflect"}, {8000, 33, 50, false, "constant"}};
}
inline std::vector<ZeroCrossingRate::Options> examples(std::type_identity<ZeroCrossingRate>) {
  return {{}, {16000, 400, 160, true, 0.01}, {8000, 33, 50, false, 0}};
}
inline std::vector<Gate::Options> examples(std::type_identity<Gate>) {
  return {{}, {.threshold_db = -5, .hysteresis_db = 2, .hold_s = 0.05, .window_s = 0.03, .value = -1}};
}
inline std::vector<Loudness::Options> examples(std::type_identity<Loudness>) {
  return {{},
          {.sample_rate = 8000, .channels = 2, .kind = "short_term"},
          {.sample_rate = 11025, .channels = 6, .kind = "integrated"}};
}
inline std::vector<SpectralFlux::Options> examples(std::type_identity<SpectralFlux>) {
  return {{}, {.lag = 3, .max_size = 2, .aggregate = "l2", .rectify = false}};
}
inline std::vector<Unroll::Options> examples(std::type_identity<Unroll>) {
  return {{}, {.overlap = "mean"}, {.overlap = "hamming"}};
}
inline const std::vector<std::string> kLabels{"a", "b", "c", "d", "e", "f"};
inline std::vector<Tags::Options> examples(std::type_identity<Tags>) { return {{kLabels}}; }
inline std::vector<Events::Options> examples(std::type_identity<Events>) {
  return {{},
          {.onset = {0.5}, .offset = {-0.5}, .min_on_s = {0.03}, .min_off_s = {0.02}, .onsets = true},
          {.onset = {0, 0.1, 0.2, 0.3, 0.4, 0.5}, .smoothing_s = 0.05, .cool_down_s = {0.1}}};
}

/// The input that a node asks for, or the first of these that it accepts.
inline StreamSpec input_of(const Node& node) {
  using Kind = StreamSpec::Kind;
  if (const auto input = node.input()) return *input;
  std::vector<StreamSpec> inputs;
  const auto add = [&](Kind kind, std::vector<std::int64_t> shape) {
    inputs.push_back({.rate_hz = 100, .shape = std::move(shape), .latency_s = 0.01, .kind = kind});
  };
  add(Kind::scores, {6});
  inputs.back().labels = kLabels;
  add(Kind::spectrum, {6});
  inputs.back().bin_hz = 100;
  add(Kind::spectrum, {257});
  inputs.back().bin_hz = 100;
  add(Kind::samples, {});
  for (const std::int64_t width : {1, 2, 3}) add(Kind::rows, {width});
  add(Kind::rows, {4, 6});
  for (const StreamSpec& input : inputs) {
    if (message_of<ValueError>([&] { node.outputs(input); }).empty()) return input;
  }
  FAIL(node.repr(), " accepts none of the inputs that this test knows; add one here");
  return {};
}

/// Rows that `node` takes: Events refuses what is no score.
inline Floats rows_for(const Node& node, const StreamSpec& input, std::size_t n_rows, Random& random) {
  Floats rows = random.samples(n_rows * input.row_size());
  if (dynamic_cast<const Events*>(&node) == nullptr) return rows;
  for (float& score : rows) score = std::abs(score);
  return rows;
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

}  // namespace fastaudio::test
