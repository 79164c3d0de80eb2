#include "core/levels.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"
#include "helpers.hpp"
#include "nodes/events.hpp"
#include "nodes/patches.hpp"
#include "nodes/sigmoid.hpp"
#include "nodes/support/silence.hpp"
#include "nodes/tags.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

constexpr double kRate = 3200;  // 100 ms are 10 cells of 32 samples

double mean_square(const Floats& x, std::size_t first, std::size_t end) {
  double sum = 0;
  for (std::size_t i = first; i < end; ++i) sum += double{x[i]} * double{x[i]};
  return sum / static_cast<double>(end - first);
}

/// Gives sound as rows of 320 values.
NodePtr network() {
  const auto patches = std::make_shared<Patches>(Patches::Options{.length = 320, .hop = 320});
  return std::make_shared<Sequential>(std::vector<NodePtr>{patches});
}

}  // namespace

TEST_CASE("levels: a stretch has the mean square of its loudest 100 ms") {
  Random random(1);
  Floats x = random.samples(3200);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= i / 320 == 4 ? 1.0f : 0.1f;
  Levels levels(kRate);
  const auto reader = levels.add_reader(1);
  levels.add(x.data(), x.size(), 1);
  levels.end();
  CHECK(levels.loudest(0, 3200) == doctest::Approx(mean_square(x, 1280, 1600)));
  CHECK(levels.loudest() == doctest::Approx(mean_square(x, 1280, 1600)));
  CHECK(levels.loudest(0, 320) == doctest::Approx(mean_square(x, 0, 320)));
  CHECK(levels.loudest(64, 128) == doctest::Approx(mean_square(x, 64, 128)));
  CHECK(levels.loudest(3200, 6400) == 0);
}

TEST_CASE("levels: the last stretch counts though it fills no cell") {
  const Floats x(70, 0.5f);
  Levels levels(kRate);
  levels.add(x.data(), x.size(), 1);
  levels.end();
  CHECK(levels.loudest(0, 70) == doctest::Approx(0.25));
  CHECK(levels.loudest() == doctest::Approx(0.25));
}

TEST_CASE("levels: channels have their mean, and silence has none") {
  const Floats x{1, 0, 1, 0};
  Levels levels(kRate);
  levels.add(x.data(), 2, 2);
  levels.end();
  CHECK(levels.loudest() == doctest::Approx(0.5));
  Levels silent(kRate);
  silent.end();
  CHECK(silent.loudest() == 0);
}

TEST_CASE("levels: they are the same bits however sound is cut, and are kept for a reader that is late") {
  Random random(2);
  const Floats x = random.samples(1'000'003);
  Levels whole(kRate);
  const auto late = whole.add_reader(0);
  whole.add(x.data(), x.size(), 1);
  whole.end();
  Levels cut(kRate);
  const auto reader = cut.add_reader(0);
  std::size_t first = 0;
  for (const std::size_t n : random.pieces(x.size(), 5000)) {
    cut.add(x.data() + first, n, 1);
    first += n;
    reader->from = static_cast<std::int64_t>(first) - 3200;  // this one isn't late
  }
  cut.end();
  CHECK(cut.loudest() == whole.loudest());
  CHECK(cut.loudest(998'000, 1'000'003) == whole.loudest(998'000, 1'000'003));
  CHECK(whole.loudest(0, 320) == doctest::Approx(mean_square(x, 0, 320)));  // nothing was forgotten
}

TEST_CASE("levels: a reader that comes later finds the last stretch, and what was forgotten isn't silent") {
  const Floats x(1'000'000, 0.0f);
  Levels levels(kRate);
  levels.add(x.data(), x.size(), 1);
  const auto reader = levels.add_reader(1);
  CHECK(levels.loudest(960'000, 1'000'000) == 0);
  CHECK(std::isinf(levels.loudest(0, 1'000'000)));
}

TEST_CASE("silence: rows are marked by their own windows, also in branches") {
  Floats x(3200, 0.0f);
  std::fill(x.begin() + 640, x.begin() + 960, 0.5f);  // window 2 of 10
  std::vector<std::string> labels;
  for (int k = 0; k < 320; ++k) labels.push_back(std::to_string(k));
  const NodePtr tags = std::make_shared<Tags>(Tags::Options{.labels = labels});
  const NodePtr events = std::make_shared<Events>(Events::Options{.onset = {0.0}});
  const NodePtr branches = std::make_shared<Parallel>(
      std::vector<NamedNode>{{"tags", std::make_shared<Sigmoid>()}, {"events", events}});
  const NodePtr node = std::make_shared<Sequential>(std::vector<NodePtr>{network(), tags, branches});
  const StreamSpec input = StreamSpec::samples(kRate);
  const NodePtr watched = with_silence(node, input, -70.0);
  const auto rows = run_all(*watched, input, x, Random(3).pieces(x.size(), 500));
  REQUIRE(rows[0].size() == 10 * 321);
  for (std::size_t k = 0; k < 10; ++k) CHECK(rows[0][k * 321 + 320] == (k == 2 ? 0.0f : 1.0f));
  REQUIRE(rows[1].size() == 6 * 321);  // an event of each label in one window, and the summary
  CHECK(rows[1][2] == 2.0f);
  CHECK(rows[1][6 * 320 + 3] == -1.0f);
}

TEST_CASE("silence: a node without scores stays as it is") {
  const NodePtr node = network();
  CHECK(with_silence(node, StreamSpec::samples(kRate), -70.0) == node);
}

TEST_CASE("silence: swappable networks begin alike, whether they mark silence or not") {
  const StreamSpec input = StreamSpec::samples(kRate);
  std::vector<std::string> labels;
  for (int k = 0; k < 320; ++k) labels.push_back(std::to_string(k));
  const NodePtr tags = std::make_shared<Tags>(Tags::Options{.labels = labels});
  const NodePtr tagger = std::make_shared<Sequential>(std::vector<NodePtr>{network(), tags});
  const std::string first = with_silence(tagger, input, -70.0)->parts().front()->repr();
  CHECK(with_silence(tagger, input, std::nullopt, true)->parts().front()->repr() == first);
  const NodePtr rows = with_silence(network(), input, -70.0, true);
  CHECK(rows->parts().front()->repr() == first);
  const Floats x = Random(4).samples(3200);
  CHECK(same_bits(run(*rows, input, x), run(*network(), input, x)));
}
