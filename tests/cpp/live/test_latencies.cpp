#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "helpers.hpp"
#include "live/arrivals.hpp"
#include "live/latencies.hpp"

using namespace fastaudio::test;
using fastaudio::live::Arrivals;
using fastaudio::live::Latencies;

TEST_CASE("latencies: quantiles are those of all values, rounded up by at most 5 %") {
  Random random(10);
  Latencies latencies;
  CHECK(latencies.quantile_s(0.5) == 0);
  std::vector<double> all_s;
  for (int i = 0; i < 5000; ++i) {
    const auto ns = static_cast<std::int64_t>(std::pow(10.0, 3.0 + 8.0 * (random.sample() + 1) / 2));
    all_s.push_back(1e-9 * static_cast<double>(ns));
    latencies.add(ns);
  }
  std::sort(all_s.begin(), all_s.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 1.0}) {
    const double exact = all_s[static_cast<std::size_t>(std::ceil(share * 5000)) - 1];
    CHECK(latencies.quantile_s(share) >= exact * (1 - 1e-12));
    CHECK(latencies.quantile_s(share) <= exact * 1.05);
  }
  CHECK(latencies.max_s() == doctest::Approx(all_s.back()));
}

TEST_CASE("latencies: values out of range count in the outermost bins") {
  Latencies latencies;
  latencies.add(-5);
  CHECK(latencies.quantile_s(1) <= 1.05e-6);
  latencies.add(std::int64_t{1} << 62);
  CHECK(latencies.quantile_s(1) <= 1.05e3);
  CHECK(latencies.max_s() == doctest::Approx(1e-9 * std::pow(2, 62)));
}

TEST_CASE("arrivals: a sample came with the block that holds it, in whatever order they are asked for") {
  Arrivals arrivals;
  const std::int64_t first = (std::int64_t{1} << 32) - 500;
  for (int i = 1; i <= 100; ++i) arrivals.note(first + 10 * i, 1000 * i);
  for (const int sample : {1, 10, 11, 995, 555, 20, 1000}) {
    CHECK(arrivals.time_of(first + sample) == (sample + 9) / 10 * 1000);
  }
  CHECK(arrivals.time_of(first + 2000) == 100'000);  // not noted yet, so the last time
}

TEST_CASE("arrivals: samples of forgotten blocks have the oldest known time") {
  Arrivals arrivals;
  for (int i = 1; i <= 10000; ++i) arrivals.note(i, i);
  CHECK(arrivals.time_of(10000) == 10000);
  CHECK(arrivals.time_of(9000) == 9000);
  CHECK(arrivals.time_of(1) > 1);
  CHECK(arrivals.time_of(1) < 9000);
}

TEST_CASE("arrivals: one thread notes while another asks") {
  Arrivals arrivals;
  std::atomic<std::int64_t> end{0};
  std::thread writer([&] {
    for (std::int64_t i = 1; i <= 20000; ++i) {
      arrivals.note(i, i);
      end.store(i, std::memory_order_release);
    }
  });
  std::int64_t n_early = 0;
  for (std::int64_t seen = 0; seen < 20000;) {
    seen = end.load(std::memory_order_acquire);
    if (seen > 0 && arrivals.time_of(seen) < seen) ++n_early;  // a later one, if it was overwritten
  }
  writer.join();
  CHECK(n_early == 0);
}
