#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

#include "core/checked.hpp"

using fastaudio::Checked;

TEST_CASE("Checked: small numbers count as plain ones do") {
  for (const std::int64_t a : {-7, -1, 0, 1, 3, 1000}) {
    for (const std::int64_t b : {-5, -1, 1, 2, 999}) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK((Checked(a) + b).value() == a + b);
      CHECK((Checked(a) - b).value() == a - b);
      CHECK((Checked(a) * b).value() == a * b);
      CHECK((Checked(a) / b).value() == a / b);
    }
  }
  CHECK(lcm(Checked(12), 18).value() == 36);
  CHECK(max(Checked(-2), 5).value() == 5);
}

TEST_CASE("Checked: what is too large says so, and so does all that follows from it") {
  const std::int64_t large = std::int64_t{1} << 40;
  for (const Checked bad : {Checked(large) * large, Checked(-large) * large, Checked(INT64_MAX),
                            Checked(INT64_MIN), lcm(Checked(large), large - 1), Checked(1) / 0}) {
    CHECK(!bad.ok());
    CHECK(bad.value() == 1);
    CHECK(!(bad + 1).ok());
    CHECK(!(bad - bad).ok());
    CHECK(!(bad * 0).ok());
    CHECK(!(3 / bad).ok());
    CHECK(!lcm(bad, 2).ok());
    CHECK(!max(bad, 2).ok());
  }
  const Checked most = std::int64_t{1} << 61;
  CHECK(most.ok());
  CHECK(!(most + most).ok());
  CHECK(!(most + 1).ok());
  CHECK((most - most).ok());
}
