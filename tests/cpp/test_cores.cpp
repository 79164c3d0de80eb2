#include "core/cores.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "core/platform.hpp"

using namespace fastaudio;

TEST_CASE("cores: a quota fills whole cores, rounded up") {
  CHECK(cores_of_quota("200000 100000") == 2);
  CHECK(cores_of_quota("150000 100000\n") == 2);
  CHECK(cores_of_quota("1000 100000") == 1);
  CHECK(cores_of_quota("1e300 1") == 1 << 16);
  for (const char* none : {"max 100000", "", "200000", "-1 100000", "200000 0", "x y"}) {
    CHECK_MESSAGE(!cores_of_quota(none), none);
  }
}

TEST_CASE("cores: the least quota of a group and those around it counts") {
  const auto root = std::filesystem::temp_directory_path() / "fastaudio_test_cores";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root / "outer" / "inner");
  std::ofstream(root / "cpu.max") << "800000 100000\n";
  CHECK(cores_of_group(root.string(), "/outer/inner") == 8);
  std::ofstream(root / "outer" / "cpu.max") << "300000 100000\n";
  std::ofstream(root / "outer" / "inner" / "cpu.max") << "max 100000\n";
  CHECK(cores_of_group(root.string(), "/outer/inner") == 3);
  CHECK(cores_of_group(root.string(), "/") == 8);
  CHECK(cores_of_group(root.string(), "/../elsewhere") == 8);  // as seen from within a container
  CHECK(!cores_of_group((root / "nowhere").string(), "/outer"));
  std::filesystem::remove_all(root);
}

TEST_CASE("cores: the variable says how many runs happen at once, or is refused") {
  constexpr const char* kVariable = "FASTAUDIO_RUNS_AT_ONCE";
  const char* set = std::getenv(kVariable);
  const std::string before = set == nullptr ? "" : set;
  platform::set_environment(kVariable, "3");
  CHECK(runs_at_once() == 3);
  for (const char* wrong : {"0", "-1", "two", "2.5", "2 ", "99999999999"}) {
    platform::set_environment(kVariable, wrong);
    CHECK_THROWS_AS(runs_at_once(), ValueError);
  }
  platform::set_environment(kVariable, "");
  CHECK(runs_at_once() == usable_cores());
  CHECK(usable_cores() >= 1);
  platform::set_environment(kVariable, before.c_str());
}
