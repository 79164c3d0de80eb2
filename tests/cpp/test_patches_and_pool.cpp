#include <doctest/doctest.h>

#include "helpers.hpp"
#include "nodes/energy_patch.hpp"
#include "nodes/linear_softmax_pooling.hpp"
#include "nodes/mean_max.hpp"
#include "nodes/mono.hpp"
#include "nodes/patches.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

const StreamSpec kSingles{10, {1}, "", {}, 0.1, 0};

Floats count(int n) {
  Floats x;
  for (int i = 0; i < n; ++i) x.push_back(static_cast<float>(i));
  return x;
}

Floats patches(const Patches::Options& options, int n_rows) {
  return run(*std::make_shared<Patches>(options), kSingles, count(n_rows));
}

}  // namespace

TEST_CASE("patches: patch k holds the rows from k times hop") {
  CHECK(patches({3, {}, "drop", 0}, 7) == Floats{0, 1, 2, 3, 4, 5});
  CHECK(patches({3, 1, "drop", 0}, 5) == Floats{0, 1, 2, 1, 2, 3, 2, 3, 4});
  CHECK(patches({2, 3, "drop", 0}, 8) == Floats{0, 1, 3, 4, 6, 7});
}

TEST_CASE("patches: rows left at the end go where `last` says") {
  CHECK(patches({3, {}, "pad", -1}, 4) == Floats{0, 1, 2, 3, -1, -1});
  CHECK(patches({4, {}, "repeat", 0}, 6) == Floats{0, 1, 2, 3, 4, 5, 4, 5});
  CHECK(patches({3, {}, "pad", -1}, 3) == Floats{0, 1, 2});
}

TEST_CASE("patches: rows that a patch already held don't make another") {
  CHECK(patches({3, 1, "pad", -1}, 3) == Floats{0, 1, 2});
  CHECK(patches({3, 2, "pad", -1}, 4) == Floats{0, 1, 2, 2, 3, -1});
  CHECK(patches({2, 4, "pad", -1}, 4) == Floats{0, 1});
}

TEST_CASE("patches: rows before a patch come along, padding before the first") {
  const auto with_context = [](int length, std::optional<int> hop, const char* last, int context,
                               int n_rows) { return patches({length, hop, last, -1, context}, n_rows); };
  CHECK(with_context(3, {}, "drop", 1, 7) == Floats{-1, 0, 1, 2, 2, 3, 4, 5});
  CHECK(with_context(2, {}, "drop", 3, 6) == Floats{-1, -1, -1, 0, 1, -1, 0, 1, 2, 3, 1, 2, 3, 4, 5});
  CHECK(with_context(2, 4, "drop", 1, 7) == Floats{-1, 0, 1, 3, 4, 5});
  CHECK(with_context(3, {}, "pad", 1, 4) == Floats{-1, 0, 1, 2, 2, 3, -1, -1});
  CHECK(with_context(3, {}, "repeat", 1, 4) == Floats{-1, 0, 1, 2, 2, 3, 3, 3});
  CHECK(with_context(2, 4, "pad", 3, 4) == Floats{-1, -1, -1, 0, 1});  // what follows is context alone
  CHECK(with_context(2, 4, "pad", 3, 0).empty());
}

TEST_CASE("patches: times are those of the rows without context") {
  const auto node = std::make_shared<Patches>(Patches::Options{.length = 4, .context = 2});
  const StreamSpec spec = node->outputs(kSingles).front().spec;
  const StreamSpec without = Patches({.length = 4}).outputs(kSingles).front().spec;
  CHECK(spec.shape == std::vector<std::int64_t>{6, 1});
  CHECK(spec.span_s == without.span_s);
  CHECK(spec.latency_s == without.latency_s);
  CHECK(spec.rate_hz == without.rate_hz);
  CHECK(node->locality()->before == 2);
}

TEST_CASE("patches: a clip too short for one patch makes one") {
  CHECK(patches({5, {}, "drop", 0}, 2) == Floats{0, 1, 0, 1, 0});
  CHECK(patches({5, {}, "repeat", 0}, 2) == Floats{0, 1, 0, 1, 0});
  CHECK(patches({5, {}, "pad", 7}, 2) == Floats{0, 1, 7, 7, 7});
}

TEST_CASE("patches: rate and span and latency follow length and hop") {
  const auto spec = Patches({5, 2, "drop", 0}).outputs(kSingles).front().spec;
  CHECK(spec.rate_hz == 5);
  CHECK(spec.shape == std::vector<std::int64_t>{5, 1});
  CHECK(spec.span_s == doctest::Approx(0.5));
  CHECK(spec.latency_s == doctest::Approx(0.4));
}

TEST_CASE("energy patch: the patch with the largest sum, wherever it lies") {
  const auto best = [](const EnergyPatch::Options& options, const Floats& rows) {
    return run(*std::make_shared<EnergyPatch>(options), kSingles, rows);
  };
  CHECK(best({3}, count(12)) == Floats{9, 10, 11});
  CHECK(best({3, 4}, count(12)) == Floats{8, 9, 10});
  CHECK(best({3}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0}) == Floats{9, 8, 7});  // long gone from the ring
  CHECK(best({2}, {-5, -1, -2, -9}) == Floats{-1, -2});
  CHECK(best({1}, {1, 3, 2}) == Floats{3});
  CHECK(best({2}, {0, 4, 1, 3, 2, 5, 0}) == Floats{2, 5});
}

TEST_CASE("energy patch: of equal patches the first") {
  const StreamSpec pairs{10, {2}, "", {}, 0.1, 0};
  const auto node = std::make_shared<EnergyPatch>(EnergyPatch::Options{2});
  CHECK(run(*node, pairs, {0, 0, 1, 2, 3, 4, 0, 0, 4, 3, 2, 1}) == Floats{1, 2, 3, 4});
}

TEST_CASE("energy patch: its place is that of exact sums after very many rows") {
  Random random(31);
  Floats rows = random.samples(200000);
  for (float& row : rows) row = 1e6f + row;  // a running sum would have drifted
  const EnergyPatch::Options options{50};
  std::size_t best = 0;
  double most = 0;
  for (std::size_t first = 0; first + 50 <= rows.size(); ++first) {
    double sum = 0;  // exact: 53 bits hold it
    for (std::size_t i = 0; i < 50; ++i) sum += rows[first + i];
    if (sum > most) {
      best = first;
      most = sum;
    }
  }
  const auto from = rows.begin() + static_cast<std::ptrdiff_t>(best);
  CHECK(run(*std::make_shared<EnergyPatch>(options), kSingles, rows) == Floats(from, from + 50));
}

TEST_CASE("energy patch: a clip too short for a patch is repeated or padded") {
  const auto short_clip = [](const char* last, int n_rows) {
    return run(*std::make_shared<EnergyPatch>(EnergyPatch::Options{5, 1, last, 7}), kSingles, count(n_rows));
  };
  CHECK(short_clip("repeat", 2) == Floats{0, 1, 0, 1, 0});
  CHECK(short_clip("pad", 2) == Floats{0, 1, 7, 7, 7});
  CHECK(short_clip("pad", 5) == Floats{0, 1, 2, 3, 4});
  CHECK(short_clip("pad", 0).empty());
}

TEST_CASE("pool: one row for the clip") {
  const StreamSpec pairs{10, {2}, "", {}, 0, 0};
  const Floats rows{1, -5, 2, -3, 6, -4};
  CHECK(run(*std::make_shared<Mean>(), pairs, rows) == Floats{3, -4});
  CHECK(run(*std::make_shared<Max>(), pairs, rows) == Floats{6, -3});
  CHECK(Mean().outputs(pairs).front().spec.rate_hz == 0);
}

TEST_CASE("pool: a mean of very many rows stays exact") {
  const Floats rows(3000000, 0.1f);  // a float total would be off by a tenth
  CHECK(run(*std::make_shared<Mean>(), kSingles, rows).front() == doctest::Approx(0.1f).epsilon(1e-7));
}

TEST_CASE("linear softmax: sum of p squared over sum of p, of the clip or of windows") {
  const StreamSpec pairs{10, {2}, "probability", {}, 0.1, 0};
  const Floats rows{0.25f, 0, 0.75f, -1, 0.5f, 0, 0.5f, 1};
  const auto pooled = [&](const LinearSoftmaxPooling::Options& options) {
    return run(*std::make_shared<LinearSoftmaxPooling>(options), pairs, rows);
  };
  CHECK(pooled({}) == Floats{0.5625f, 1});
  CHECK(pooled({2, {}}) == Floats{0.625f, 0, 0.5f, 1});
  CHECK(pooled({9, {}}) == pooled({}));  // a clip shorter than a window
  CHECK(LinearSoftmaxPooling({}).outputs(pairs).front().spec.rate_hz == 0);
  CHECK(LinearSoftmaxPooling({4, 2}).outputs(pairs).front().spec.rate_hz == 5);
}

TEST_CASE("linear softmax: the least probabilities don't vanish when squared") {
  const Floats rows(1000, 1e-38f);
  CHECK(run(*std::make_shared<LinearSoftmaxPooling>(LinearSoftmaxPooling::Options{}), kSingles, rows) ==
        Floats{1e-38f});
}

TEST_CASE("mono: the mean of all channels or one of them") {
  const StreamSpec stereo{8000, {2}, "samples", {}, 0, 0};
  const Floats x{1, 3, -2, 4};
  CHECK(run(*std::make_shared<Mono>(Mono::Options{2, {}}), stereo, x) == Floats{2, 1});
  CHECK(run(*std::make_shared<Mono>(Mono::Options{2, 1}), stereo, x) == Floats{3, 4});
  CHECK(message_of<ValueError>([&] { Mono({3, {}}).outputs(stereo); }) ==
        "Mono: expected rows of 3 channels, got rows [8000 Hz, 2]");
}
