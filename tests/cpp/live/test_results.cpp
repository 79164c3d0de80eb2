#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "helpers.hpp"
#include "live/results.hpp"

using namespace fastaudio::test;
using fastaudio::live::Result;
using fastaudio::live::Results;
using namespace std::chrono_literals;

namespace {

Result numbered(std::int64_t row, std::int64_t n_lost = 0) {
  return {.first_row = row, .n_rows = 2, .n_lost = n_lost};
}

}  // namespace

TEST_CASE("results: in order, then none") {
  Results results(4, Results::WhenFull::drop_oldest);
  CHECK(!results.take(0ns));
  for (int i = 0; i < 4; ++i) results.put(numbered(i));
  CHECK(results.full());
  for (int i = 0; i < 4; ++i) CHECK(results.take(0ns)->first_row == i);
  CHECK(!results.take(1ms));
  CHECK(!results.ended());
  CHECK(results.n_dropped() == 0);
}

TEST_CASE(
    "results: a full queue drops the oldest, counts their rows, and adds their lost samples to the next") {
  Results results(3, Results::WhenFull::drop_oldest);
  for (int i = 0; i < 5; ++i) results.put(numbered(i, 10 + i));
  CHECK(results.size() == 3);
  CHECK(results.n_dropped() == 4);
  const auto first = results.take(0ns);
  CHECK(first->first_row == 2);
  CHECK(first->n_lost == 10 + 11 + 12);
  CHECK(results.take(0ns)->n_lost == 13);
  Results single(1, Results::WhenFull::drop_oldest);
  single.put(numbered(0, 5));
  single.put(numbered(1, 7));
  CHECK(single.take(0ns)->n_lost == 12);
}

TEST_CASE("results: with keep, none is dropped") {
  Results results(3, Results::WhenFull::keep);
  for (int i = 0; i < 5; ++i) results.put(numbered(i));
  CHECK(results.full());
  CHECK(results.size() == 5);
  CHECK(results.n_dropped() == 0);
}

TEST_CASE("results: after an end the rest can be taken; then the error is thrown, every time") {
  Results results(3, Results::WhenFull::drop_oldest);
  results.put(numbered(0));
  results.end(std::make_exception_ptr(std::runtime_error("broken")));
  results.end();             // the first counts
  results.put(numbered(1));  // nothing comes after it
  CHECK(!results.ended());
  CHECK(results.take(0ns)->first_row == 0);
  for (int i = 0; i < 2; ++i) {
    CHECK(message_of<std::runtime_error>([&] { results.take(10s); }) == "broken");
  }
  CHECK(!results.ended());
  Results fine(3, Results::WhenFull::drop_oldest);
  fine.end();
  CHECK(fine.ended());
  CHECK(!fine.take(10s));
}

TEST_CASE("results: close drops everything, the error too") {
  Results results(3, Results::WhenFull::drop_oldest);
  results.put(numbered(0));
  results.end(std::make_exception_ptr(std::runtime_error("broken")));
  results.close();
  CHECK(results.ended());
  CHECK(!results.take(10s));
}

TEST_CASE("results: a waiting consumer is woken by a result, an end or a close") {
  for (int how = 0; how < 3; ++how) {
    Results results(3, Results::WhenFull::drop_oldest);
    std::thread other([&] {
      std::this_thread::sleep_for(5ms);
      if (how == 0) results.put(numbered(7));
      if (how == 1) results.end();
      if (how == 2) results.close();
    });
    const auto result = results.take(1h);
    CHECK(result.has_value() == (how == 0));
    other.join();
  }
}

TEST_CASE("results: several consumers take each result once") {
  Results results(10000, Results::WhenFull::drop_oldest);
  std::atomic<std::int64_t> sum{0};
  std::atomic<int> n{0};
  const auto consume = [&] {
    while (const auto result = results.take(1h)) {
      sum += result->first_row;
      ++n;
    }
  };
  std::thread one(consume);
  std::thread other(consume);
  for (int i = 0; i < 2000; ++i) results.put(numbered(i));
  results.end();
  one.join();
  other.join();
  CHECK(n == 2000);
  CHECK(sum == 1999 * 1000);
}
