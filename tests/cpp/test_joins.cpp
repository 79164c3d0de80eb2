#include <doctest/doctest.h>

#include <numeric>

#include "core/compose/concat.hpp"
#include "core/compose/diagram.hpp"
#include "core/compose/film.hpp"
#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"
#include "core/compose/split.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

const StreamSpec kPairs{100, {2}, "", {}, 0.01, 0, 0.01};

NodePtr means(int window, std::optional<int> hop = {}) {
  return std::make_shared<Statistics>(Statistics::Options{.kinds = {"mean"}, .window = window, .hop = hop});
}
std::shared_ptr<Concat> concat(std::vector<NodePtr> branches, Concat::Options options = {}) {
  return std::make_shared<Concat>(std::move(branches), std::move(options));
}
NodePtr scales() {
  return std::make_shared<Parallel>(
      std::vector<NamedNode>{{"gamma", std::make_shared<Standardize>(Standardize::Options{{0.5}, {2}})},
                             {"beta", std::make_shared<L2Normalize>(L2Normalize::Options{})}});
}
NodePtr film(const NodePtr& content, const NodePtr& v, const char* align) {
  return std::make_shared<Film>(content, std::make_shared<Sequential>(std::vector<NodePtr>{v, scales()}),
                                Film::Options{align});
}

/// Row k holds 2 k and 2 k + 1.
Floats ramp(std::size_t n_rows) {
  Floats rows(2 * n_rows);
  std::iota(rows.begin(), rows.end(), 0.0f);
  return rows;
}

}  // namespace

TEST_CASE("concat: a slower branch's row is repeated until its next one begins") {
  const auto every = std::make_shared<Patches>(Patches::Options{.length = 1, .hop = 2});
  const auto slow = std::make_shared<Patches>(Patches::Options{.length = 1, .hop = 5});
  const Floats got = run(*concat({every, slow}), kPairs, ramp(21));
  REQUIRE(got.size() == 11 * 4);
  for (std::size_t i = 0; i < 11; ++i) {
    CHECK(got[4 * i] == static_cast<float>(4 * i));
    CHECK(got[4 * i + 2] == static_cast<float>(2 * i / 5 * 10));
  }
}

TEST_CASE("concat: a faster branch gives the row that began last, or the mean of its step") {
  const auto fast = std::make_shared<Patches>(Patches::Options{.length = 1, .hop = 2});
  const auto slow = std::make_shared<Patches>(Patches::Options{.length = 1, .hop = 5});
  const Floats last = run(*concat({fast, slow}, {.rate_of = 1}), kPairs, ramp(20));
  const Floats mean = run(*concat({fast, slow}, {.rate_of = 1, .align = "average"}), kPairs, ramp(20));
  REQUIRE(last.size() == 4 * 4);
  REQUIRE(mean.size() == 4 * 4);
  // Rows of the fast branch begin at 0 2 4 | 6 8 | 10 12 14 | 16 18, slow ones at 0 5 10 15.
  const Floats began{0, 4, 10, 14}, middle{2, 7, 12, 17};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(last[4 * i] == 2 * began[i]);
    CHECK(mean[4 * i] == 2 * middle[i]);
  }
}

TEST_CASE("joins: any chunking gives the same rows bit for bit") {
  Random random(90);
  const std::vector<NodePtr> nodes{
      concat({means(7, 3), means(10)}),
      concat({means(7, 3), means(4), means(50, 11)}, {.rate_of = 2, .align = "average"}),
      film(means(3), means(25, 7), "repeat"),
      film(means(25, 7), means(3), "average"),
  };
  for (const NodePtr& node : nodes) {
    for (const std::size_t n : {0u, 1u, 24u, 1500u, 40000u}) {
      const Floats x = random.samples(2 * n);
      const Floats whole = run(*node, kPairs, x);
      for (const int most : {3, 160, 9000})
        CHECK(same_bits(run(*node, kPairs, x, random.pieces(n, most)), whole));
    }
  }
}

TEST_CASE("joins: a row depends on what its locality says, and parts give the same rows") {
  Random random(91);
  const std::vector<NodePtr> nodes{
      concat({means(7, 3), means(10)}),
      concat({means(7, 3), means(4), means(50, 11)}, {.rate_of = 2, .align = "average"}),
      film(means(25, 7), means(3), "average"),
  };
  for (const NodePtr& node : nodes) {
    const auto near = node->locality();
    REQUIRE(near.has_value());
    const std::size_t n = 200'000;
    const Floats x = random.samples(2 * n);
    const Floats whole = run(*node, kPairs, x);
    const auto parts = split(*node, kPairs, n, 3);
    REQUIRE(parts.size() == 3);
    Collector joined(*node, kPairs);
    for (const Part& part : parts) {
      const auto stream = node->open(kPairs);
      PartSink sink(part, joined);
      stream->push(x.data() + 2 * part.first_input,
                   static_cast<std::size_t>(part.end_input - part.first_input), sink);
      if (part.last()) stream->flush(sink);
    }
    CHECK(same_bits(joined.outputs.front(), whole));
  }
}

TEST_CASE("joins: locality tells the inputs of the row that looks furthest") {
  const auto by = [](int hop) -> NodePtr {
    return std::make_shared<Patches>(Patches::Options{.length = 1, .hop = hop});
  };
  const auto check = [](const Node& node, std::int64_t n_in, std::int64_t n_out, std::int64_t before,
                        std::int64_t after, double field_s) {
    const auto near = node.locality();
    REQUIRE(near.has_value());
    CHECK(near->n_in == n_in);
    CHECK(near->n_out == n_out);
    CHECK(near->before == before);
    CHECK(near->after == after);
    CHECK(node.receptive_field_s(kPairs) == doctest::Approx(field_s));
  };
  // Rows at 0 2 4 6 8, beside those at 0 0 0 5 5: the third looks 4 back.
  check(*concat({by(2), by(5)}), 10, 5, 4, 1, 0.05);
  // Rows at 0 5, beside the mean of 0 2 4 and that of 6 8.
  check(*concat({by(2), by(5)}, {.rate_of = 1, .align = "average"}), 10, 2, 0, 5, 0.05);
  check(*film(by(7), by(3), "average"), 21, 3, 0, 7, 0.07);
}

TEST_CASE("parallel: branches of one rate have a common locality, and no signal is shared by halves") {
  const auto branches = scales();
  const auto near = branches->locality();
  REQUIRE(near.has_value());
  CHECK(near->after == 1);
  CHECK(split(*branches, kPairs, 1'000'000, 4).size() == 1);
  const Parallel uneven({{"a", means(3)}, {"b", means(4)}});
  CHECK_FALSE(uneven.locality().has_value());
}

TEST_CASE("concat: rates that only just don't meet are refused, those that do are not") {
  const auto by = [](int hop) -> NodePtr {
    return std::make_shared<Patches>(Patches::Options{.length = 1, .hop = hop});
  };
  CHECK_NOTHROW(concat({by(65536), by(1)})->outputs(kPairs));
  CHECK_NOTHROW(concat({by(65535), by(65536)})->outputs(kPairs));
  CHECK_THROWS_AS(concat({by(65537), by(1)})->outputs(kPairs), ValueError);
  CHECK_THROWS_AS(concat({by(251), by(257), by(263), by(1)}, {.rate_of = 3})->outputs(kPairs), ValueError);
}
