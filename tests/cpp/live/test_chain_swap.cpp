#include <doctest/doctest.h>

#include "live_helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::Chain;

namespace {

constexpr double kPatchHz = 25;

Floats times(const Floats& x, float factor) {
  Floats y = x;
  for (float& value : y) value *= factor;
  return y;
}

}  // namespace

TEST_CASE("swap: between two patches another network goes on, and the front end keeps its state") {
  const Floats x = sound(30, 4);
  const Floats all = run(*in_a_row(front()), kSound, x);
  constexpr std::size_t kPatch = 12;
  for (const std::size_t cut : {0u, 1u, 3333u, 16000u}) {
    const NodePtr first = front_and(through("a", 2));
    const NodePtr second = front_and(through("b", 3));
    const NodePtr third = front_and(through("c", 5));
    Chain chain(first, kSound, false);
    Collector one(*first, kSound);
    Collector two(*second, kSound);
    Collector three(*third, kSound);
    chain.push(x.data(), cut, one);
    chain.check_swap(*second);
    const double second_s = chain.swap(second, one);
    chain.push(x.data() + cut, 8000, two);
    chain.check_swap(*third);
    const double third_s = chain.swap(third, two);
    CHECK(chain.node() == third);
    chain.push(x.data() + cut + 8000, x.size() - cut - 8000, three);
    chain.flush(three);
    const auto n_one = one.outputs.front().size();
    const auto n_two = two.outputs.front().size();
    CHECK(second_s == doctest::Approx(static_cast<double>(n_one / kPatch) / kPatchHz));
    CHECK(third_s == doctest::Approx(static_cast<double>((n_one + n_two) / kPatch) / kPatchHz));
    REQUIRE(n_one + n_two + three.outputs.front().size() == all.size());
    const auto at = [&](std::size_t from, std::size_t to) {
      return part_of(all, static_cast<std::int64_t>(from), static_cast<std::int64_t>(to));
    };
    CHECK(same_bits(one.outputs.front(), times(at(0, n_one), 2)));
    CHECK(same_bits(two.outputs.front(), times(at(n_one, n_one + n_two), 3)));
    CHECK(same_bits(three.outputs.front(), times(at(n_one + n_two, all.size()), 5)));
  }
}

TEST_CASE("swap: two swaps in a row have the same base time") {
  const Floats x = sound(31, 1);
  const NodePtr first = front_and(through("a", 2));
  Chain chain(first, kSound, false);
  Collector rows(*first, kSound);
  chain.push(x.data(), x.size(), rows);
  const double base_s = chain.swap(front_and(through("b", 3)), rows);
  CHECK(base_s > 0);
  CHECK(chain.swap(front_and(through("c", 5)), rows) == base_s);
  CHECK(chain.times().back().first == "c()");
  chain.restart();
  CHECK(chain.swap(front_and(through("d", 5)), rows) == 0);
}

TEST_CASE("swap: rows that the old parts still hold come out of the old network, through its batch too") {
  const Floats x = sound(32, 2);
  const NodePtr delta = std::make_shared<Delta>(Delta::Options{.width = 9});
  const NodePtr last = through("batch", 2, nullptr, true);
  Collector samples(*mel(), kSound);
  const auto mel_stream = mel()->open(kSound);
  mel_stream->push(x.data(), x.size(), samples);
  const Sequential behind({delta, last});
  const Floats expected = run(behind, mel()->outputs(kSound).front().spec, samples.outputs.front());
  for (const bool hold : {false, true}) {
    const NodePtr old = in_a_row({mel(), delta, last});
    Chain chain(old, kSound, hold);
    Collector rows(*old, kSound);
    chain.push(x.data(), x.size(), rows);
    chain.swap(in_a_row({mel(), std::make_shared<Log>(Log::Options{}), last}), rows);
    CHECK(chain.n_held() == 0);
    CHECK(same_bits(rows.outputs.front(), expected));
  }
}

TEST_CASE("swap: another front end, or another input, is refused and changes nothing") {
  const NodePtr node = front_and(through("a", 2));
  const Chain chain(node, kSound, false);
  const auto refused = [&](const NodePtr& other) {
    return message_of<ValueError>([&] { chain.check_swap(*other); });
  };
  CHECK(refused(front_and(through("b", 3))).empty());
  CHECK(refused(in_a_row({mel(), std::make_shared<Log>(Log::Options{}), patches(5), through("b", 3)}))
            .starts_with("swap: expected a network that begins with the same parts, up to its patches: "));
  CHECK(refused(mel()).find(", got nothing; open another stream") != std::string::npos);
  CHECK(!refused(std::make_shared<RMS>(RMS::Options{.sample_rate = 16000})).empty());
  CHECK(chain.node() == node);
}
