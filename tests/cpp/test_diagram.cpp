#include <doctest/doctest.h>

#include "core/compose/diagram.hpp"
#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;

namespace {

const StreamSpec kSamples = StreamSpec::samples(16000);

NodePtr mel() {
  return std::make_shared<MelSpectrogram>(
      MelSpectrogram::Options{{.sample_rate = 16000, .n_fft = 512, .hop_length = 256}, 96});
}

}  // namespace

TEST_CASE("diagram: a line a node and the latency at the end") {
  const Sequential node({mel(), std::make_shared<Log>(Log::Options{.kind = "log10"}),
                         std::make_shared<Patches>(Patches::Options{})});
  CHECK(diagram(node, kSamples) ==
        "MelSpectrogram(sample_rate=16000, ...)  -> [62.5 Hz, 96] power\n"
        "Log(kind='log10')                       -> [62.5 Hz, 96] log10\n"
        "Patches(length=187)                     -> [0.334 Hz, 187, 96] log10, latency 2.99 s");
}

TEST_CASE("diagram: branches are set in") {
  const auto mean = std::make_shared<Mean>();
  const auto log = std::make_shared<Log>(Log::Options{});
  const auto branches = std::make_shared<Parallel>(std::vector<NamedNode>{
      {"mean", std::make_shared<Sequential>(std::vector<NodePtr>{log, mean})}, {"rows", log}});
  const Sequential node({mel(), branches});
  CHECK(diagram(node, kSamples) ==
        "MelSpectrogram(sample_rate=16000, ...)  -> [62.5 Hz, 96] power\n"
        "mean:\n"
        "  Log()                                 -> [62.5 Hz, 96] ln\n"
        "  Mean()                                -> [once, 96] ln, at the end\n"
        "rows:\n"
        "  Log()                                 -> [62.5 Hz, 96] ln, latency 0.016 s");
}

TEST_CASE("diagram: a single branch may go on, latency stays at the end") {
  const auto patches = std::make_shared<Patches>(Patches::Options{20, {}, "drop", 0});
  const auto only = std::make_shared<Parallel>(std::vector<NamedNode>{{"only", patches}});
  const Sequential node({mel(), only, std::make_shared<Mean>()});
  CHECK(node.outputs(kSamples).front().spec.shape == std::vector<std::int64_t>{20, 96});
  CHECK(diagram(node, kSamples) ==
        "MelSpectrogram(sample_rate=16000, ...)  -> [62.5 Hz, 96] power\n"
        "only:\n"
        "  Patches(length=20)                    -> [3.12 Hz, 20, 96] power\n"
        "Mean()                                  -> [once, 20, 96] power, at the end");
}

TEST_CASE("diagram: rows that wait for the end say so") {
  const auto level = std::make_shared<Normalize>(Normalize::Options{.kind = "max", .over = "clip"});
  CHECK(diagram(Sequential({mel(), level, std::make_shared<Patches>(Patches::Options{})}), kSamples) ==
        "MelSpectrogram(sample_rate=16000, ...)  -> [62.5 Hz, 96] power\n"
        "Normalize(kind='max', over='clip')      -> [62.5 Hz, 96] normalized\n"
        "Patches(length=187)                     -> [0.334 Hz, 187, 96] normalized, waits for the end");
}

TEST_CASE("diagram: a single node is its own diagram") {
  CHECK(diagram(*std::make_shared<Mean>(), {10, {4}, "", {}, 0, 0}) == "Mean()  -> [once, 4], at the end");
}

TEST_CASE("spec: rates are written as people write them") {
  CHECK(to_string(kSamples) == "[16000 Hz]");
  CHECK(to_string({62.5, {96}, "", {}, 0, 0}) == "[62.5 Hz, 96]");
  CHECK(to_string({0, {2, 3}, "", {}, 0, 0}) == "[once, 2, 3]");
  CHECK(same_rate(16000.0 / 3 * 3, 16000));
  CHECK_FALSE(same_rate(16000, 16001));
}
