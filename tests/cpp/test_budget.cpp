#include <doctest/doctest.h>

#include "core/budget.hpp"
#include "core/compose/each.hpp"
#include "core/compose/effort.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

constexpr std::size_t kMebi = std::size_t{1} << 20;

}  // namespace

TEST_CASE("Budget: tables and buffers are refused before they are made, and count while they live") {
  const Budget budget({.table_bytes = kMebi, .buffer_values = kMebi});
  CHECK_THROWS_AS(Table<float>(std::size_t{1} << 40), BudgetError);
  CHECK_THROWS_AS(Buffer<float>(std::size_t{1} << 40), BudgetError);
  for (int i = 0; i < 10; ++i) {  // one after another
    const Table<char> table(kMebi * 3 / 4);
    CHECK(!table.empty());
  }
  const Table<char> first(kMebi * 3 / 4);
  CHECK_THROWS_AS(Table<char>(kMebi * 3 / 4), BudgetError);
  const Buffer<float> buffer(kMebi);
  CHECK_THROWS_AS(Buffer<char>(1), BudgetError);
}

TEST_CASE("Budget: an inner one counts for the outer one, and none is left behind") {
  {
    const Budget outer({.table_bytes = kMebi});
    const Table<char> some(kMebi / 2);
    const Budget inner({.table_bytes = 10 * kMebi});
    CHECK_THROWS_AS(Table<char>(kMebi, 'a'), BudgetError);
  }
  CHECK(Budget::current() == nullptr);
  CHECK(Table<char>(2 * kMebi).size() == 2 * kMebi);
}

TEST_CASE("Budget: only the time of building counts") {
  const Budget budget({.build_s = 0});
  const auto wait = [] {
    volatile double x = 1;
    for (int i = 0; i < 1000000; ++i) x = x * 1.0000001;
  };
  wait();
  CHECK_NOTHROW(check_build());
  const Budget::Building building;
  wait();
  CHECK_THROWS_AS(check_build(), BudgetError);
}

TEST_CASE("Budget: the effort of clips within clips multiplies") {
  const auto rms =
      std::make_shared<RMS>(RMS::Options{.sample_rate = 16000, .frame_length = 100, .hop_length = 10});
  const StreamSpec input = StreamSpec::samples(16000);
  const double once = values_read(*rms, input, 1000);
  CHECK(once > 100 * 100);
  CHECK(once < 2 * 100 * 110);
  const Each each(rms, Each::Options{.clip_length = 1000, .hop = 10});
  CHECK(values_read(each, input, 10000) > 1000 * once);
}
