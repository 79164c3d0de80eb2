// Nodes on the rows that networks take and give.
#include <doctest/doctest.h>

#include "helpers.hpp"
#include "nodes/pca_whiten.hpp"
#include "nodes/quantize.hpp"
#include "nodes/similarity.hpp"
#include "nodes/stack_channels.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

StreamSpec rows_of(std::vector<std::int64_t> shape) { return {10, std::move(shape), "", {}, 0.1, 0}; }

}  // namespace

TEST_CASE("stack channels: the same values along a new axis") {
  const StreamSpec input = rows_of({2, 2});
  const auto last = std::make_shared<StackChannels>(StackChannels::Options{2, "last"});
  const auto first = std::make_shared<StackChannels>(StackChannels::Options{2, "first"});
  CHECK(run(*last, input, {1, 2, 3, 4}) == Floats{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(run(*first, input, {1, 2, 3, 4}) == Floats{1, 2, 3, 4, 1, 2, 3, 4});
  CHECK(last->outputs(rows_of({5, 3})).front().spec.shape == std::vector<std::int64_t>{5, 3, 2});
  CHECK(first->outputs(rows_of({5, 3})).front().spec.shape == std::vector<std::int64_t>{2, 5, 3});
}

TEST_CASE("PCA: a matrix times the row less its means") {
  const auto node = std::make_shared<PCAWhiten>(PCAWhiten::Options{{1, 2, 0, 0, 0.5, -1}, {1, 1, 2}});
  CHECK(run(*node, rows_of({3}), {1, 1, 2, 2, 3, 4}) == Floats{0, 0, 5, -1});
  CHECK(node->summary() == "PCAWhiten(3 to 2)");
}

TEST_CASE("PCA: large offsets don't cost the digits of what is left") {
  const auto node = std::make_shared<PCAWhiten>(PCAWhiten::Options{{1e6, -1e6}, {1000, 1000}});
  CHECK(run(*node, rows_of({2}), {1000.0625f, 1000.0f}) == Floats{62500});
}

TEST_CASE("quantize: steps of a range, ends included") {
  const auto levels = [](const Quantize::Options& options, const Floats& x) {
    return run(*std::make_shared<Quantize>(options), rows_of({1}), x);
  };
  CHECK(levels({}, {-3, -2, -1, 0, 1.9999f, 2, 9}) == Floats{0, 0, 63, 127, 254, 255, 255});
  CHECK(levels({-2, 2, 8, "nearest"}, {-1, 0, 1.9999f}) == Floats{64, 128, 255});
  CHECK(levels({0, 1, 1, "down"}, {0, 0.9f, 1}) == Floats{0, 0, 1});
  CHECK(levels({0, 65535, 16, "down"}, {0.5f, 65534.5f, 65535}) == Floats{0, 65534, 65535});
}

TEST_CASE("similarity: cosines, 0 to and from what has no direction") {
  const auto node =
      std::make_shared<Similarity>(Similarity::Options{{2, 0, 0, -3, 0, 0}, {"a", "b", "zero"}});
  CHECK(run(*node, rows_of({2}), {5, 0, 0, 0.5f, 0, 0, 3, 4}) ==
        Floats{1, 0, 0, 0, -1, 0, 0, 0, 0, 0.6f, -0.8f, 0});
  CHECK(node->outputs(rows_of({2})).front().spec.labels == std::vector<std::string>{"a", "b", "zero"});
  const std::string misfit = message_of<ValueError>([&] { node->outputs(rows_of({3})); });
  CHECK(misfit == "Similarity: expected rows of 2, as the bank's vectors have, got rows [10 Hz, 3]");
}

TEST_CASE("similarity: neither length matters, nor does a cosine leave its range") {
  Random random(52);
  const Floats x = random.samples(300);
  for (const double scale : {1e-9, 1.0, 1e9}) {
    std::vector<double> bank;
    for (const float v : x) bank.push_back(scale * double{v});
    const auto node = std::make_shared<Similarity>(Similarity::Options{bank, {"itself"}});
    for (const float gain : {1e-30f, 1.0f, 1e30f}) {
      Floats row = x;
      for (float& v : row) v *= gain;
      const float cosine = run(*node, rows_of({300}), row).front();
      CHECK(cosine <= 1);
      CHECK(cosine == doctest::Approx(1).epsilon(1e-7));
    }
  }
}
