#include <doctest/doctest.h>

#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

const StreamSpec kSound = StreamSpec::samples(16000);

NodePtr mel_24() {
  return std::make_shared<MelSpectrogram>(MelSpectrogram::Options{
      {.sample_rate = 16000, .n_fft = 512, .hop_length = 256, .pad_mode = "reflect"}, 24});
}
NodePtr log10_of() { return std::make_shared<Log>(Log::Options{.kind = "log10", .scale = 1e4, .offset = 1}); }
NodePtr patches() { return std::make_shared<Patches>(Patches::Options{20, 10, "pad", 0}); }
NodePtr mean() { return std::make_shared<Mean>(); }
NodePtr largest() { return std::make_shared<Max>(); }
NodePtr sequence(const std::vector<NodePtr>& nodes) { return std::make_shared<Sequential>(nodes); }
NodePtr parallel(std::vector<NamedNode> branches) { return std::make_shared<Parallel>(std::move(branches)); }

}  // namespace

TEST_CASE("sequential: equals its nodes one after another") {
  const Floats x = Random(50).samples(30000);
  const auto whole = sequence({mel_24(), log10_of(), patches(), mean()});
  Floats rows = x;
  StreamSpec spec = kSound;
  for (const NodePtr& node : whole->parts()) {
    rows = run(*node, spec, rows);
    spec = node->outputs(spec).front().spec;
  }
  CHECK(same_bits(run(*whole, kSound, x), rows));
  CHECK(whole->outputs(kSound).front().spec.shape == std::vector<std::int64_t>{20, 24});
}

TEST_CASE("sequential: any chunking gives the same rows bit for bit") {
  Random random(51);
  const auto node = sequence({mel_24(), log10_of(), patches()});
  for (const std::size_t n : {0u, 1u, 300u, 20000u}) {
    const Floats x = random.samples(n);
    const Floats whole = run(*node, kSound, x);
    for (const int most : {7, 160, 9000}) {
      CHECK(same_bits(run(*node, kSound, x, random.pieces(n, most)), whole));
    }
  }
}

TEST_CASE("sequential: one within another is replaced by its parts") {
  const auto node = sequence({sequence({mel_24(), log10_of()}), sequence({patches()})});
  CHECK(node->parts().size() == 3);
  CHECK(node->repr() ==
        "MelSpectrogram(sample_rate=16000, n_fft=512, hop_length=256, pad_mode='reflect', n_mels=24) >> "
        "Log(kind='log10', scale=10000.0, offset=1.0) >> Patches(length=20, hop=10, last='pad')");
}

TEST_CASE("sequential: misfits are told when it is made") {
  const auto resample = std::make_shared<Resample>(Resample::Options{44100, 22050, "high"});
  CHECK(message_of<ValueError>([&] { sequence({resample, mel_24()}); }) ==
        "MelSpectrogram: expected samples [16000 Hz], got samples [22050 Hz]; resample first");
  CHECK(message_of<ValueError>([] { sequence({mel_24(), mel_24()}); }) ==
        "MelSpectrogram: expected samples [16000 Hz], got rows [62.5 Hz, 24]");
  const auto tags = std::make_shared<Tags>(Tags::Options{{"a", "b"}});
  CHECK(message_of<ValueError>([&] { sequence({mel_24(), mean(), tags}); }) ==
        "Tags: expected rows of 2 scores, got rows [once, 24]; give one label for each score");
  CHECK(message_of<ValueError>([] { sequence({}); }) == "Sequential: expected at least one node, got none");
}

TEST_CASE("sequential: several outputs can't go on") {
  const auto both = parallel({{"mean", mean()}, {"max", largest()}});
  const std::string message = message_of<ValueError>([&] { sequence({mel_24(), both, log10_of()}); });
  CHECK(message.ends_with(
      ": expected one output to go on with, got 'mean', 'max'; choose one with node[name]"));
}

TEST_CASE("sequential: nothing is taken after flush") {
  const auto node = sequence({mel_24(), mean()});
  Collector sink(*node, kSound);
  const auto stream = node->open(kSound);
  stream->flush(sink);
  CHECK_THROWS_AS(stream->push(nullptr, 0, sink), StateError);
  CHECK_THROWS_AS(stream->flush(sink), StateError);
}

TEST_CASE("sequential: each push may have a sink of its own") {
  const auto node = sequence({mel_24(), parallel({{"rows", log10_of()}})});
  const Floats x = Random(53).samples(6000);
  const auto stream = node->open(kSound);
  Floats rows;
  for (std::size_t i = 0; i < x.size(); i += 1000) {
    Collector sink(*node, kSound);  // gone before the next push
    stream->push(&x[i], 1000, sink);
    rows.insert(rows.end(), sink.outputs.front().begin(), sink.outputs.front().end());
  }
  Collector sink(*node, kSound);
  stream->flush(sink);
  rows.insert(rows.end(), sink.outputs.front().begin(), sink.outputs.front().end());
  CHECK(same_bits(rows, run(*node, kSound, x)));
}

TEST_CASE("parallel: each branch equals the branch alone") {
  Random random(52);
  const auto mean_of_log = sequence({log10_of(), mean()});
  const auto node = sequence({mel_24(), parallel({{"mean", mean_of_log}, {"patches", patches()}})});
  const Floats x = random.samples(25000);
  for (const int most : {25000, 100}) {
    const auto rows = run_all(*node, kSound, x, random.pieces(x.size(), most));
    REQUIRE(rows.size() == 2);
    CHECK(same_bits(rows[0], run(*sequence({mel_24(), mean_of_log}), kSound, x)));
    CHECK(same_bits(rows[1], run(*sequence({mel_24(), patches()}), kSound, x)));
  }
}

TEST_CASE("parallel: outputs are named after their branches") {
  const auto inner = parallel({{"mean", mean()}, {"max", largest()}});
  const auto node = parallel({{"rows", log10_of()}, {"pooled", inner}, {"only", parallel({{"x", mean()}})}});
  std::vector<std::string> names;
  const StreamSpec rows{10, {3}, "", {}, 0, 0};
  for (const Output& output : node->outputs(rows)) names.push_back(output.name);
  CHECK(names == std::vector<std::string>{"rows", "pooled.mean", "pooled.max", "only"});
  const auto values = run_all(*node, rows, {1, 1, 1, 3, 5, 7});
  REQUIRE(values.size() == 4);
  CHECK(values[1] == Floats{2, 3, 4});
  CHECK(values[2] == Floats{3, 5, 7});
  CHECK(values[3] == Floats{2, 3, 4});
}

TEST_CASE("parallel: branches are at least one with names of their own") {
  CHECK(message_of<ValueError>([] { parallel({}); }) == "Parallel: expected at least one branch, got none");
  CHECK(message_of<ValueError>([] { parallel({{"", mean()}}); }) ==
        "Parallel: expected a name for each branch, got ''");
  CHECK(message_of<ValueError>([] { parallel({{"a", mean()}, {"a", largest()}}); }) ==
        "Parallel: expected different names, got 'a' twice");
}

TEST_CASE("parallel: branches that want different inputs are refused") {
  const auto other = std::make_shared<MelSpectrogram>(MelSpectrogram::Options{{.sample_rate = 44100}});
  CHECK_THROWS_AS(parallel({{"a", mel_24()}, {"b", other}}), ValueError);
}

TEST_CASE("stream: nothing goes on after an error inside a call") {
  class Refusing final : public Sink {
    void write(std::size_t, const float*, std::size_t) override { throw ValueError("sink: full"); }
  };
  const auto node = mel_24();
  const auto stream = node->open(kSound);
  const Floats x = Random(54).samples(6000);
  Refusing refusing;
  CHECK_THROWS_AS(stream->push(x.data(), x.size(), refusing), ValueError);
  Collector sink(*node, kSound);
  CHECK_THROWS_AS(stream->push(x.data(), x.size(), sink), StateError);
  CHECK_THROWS_AS(stream->flush(sink), StateError);
}
