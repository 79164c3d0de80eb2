#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "live_helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::LiveOptions;
using live::Pool;

namespace {

LiveOptions small(std::optional<double> push_timeout_s) {
  return {.overflow = "block", .buffer_s = 0.5, .max_results = 2, .push_timeout_s = push_timeout_s};
}

}  // namespace

TEST_CASE("untaken: a push whose results nobody takes raises, and what was taken comes out after it") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(70, 6);
  Pool pool({.workers = 1});
  const auto stream = open_live(node, small(0.1));
  pool.add(stream);
  const std::string message = message_of<Overrun>([&] { stream->push(x.data(), x.size()); });
  CHECK(message.starts_with(
      "live: expected results to be taken while sound is pushed, got none taken for 0.1 s "));
  CHECK(message.find("in another thread") != std::string::npos);
  const std::int64_t n = stream->stats().captured;
  CHECK(n > 0);
  CHECK(n < static_cast<std::int64_t>(x.size()));
  stream->finish();
  CHECK(same_bits(rows_of(*stream), run(*node, kSound, part_of(x, 0, n))));
}

TEST_CASE("untaken: who takes results slowly, or late, holds the sound up and loses none") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(71, 4);
  for (const std::optional<double> limit_s : {std::optional<double>(20), std::optional<double>(0), {}}) {
    Pool pool({.workers = 1});
    const auto stream = open_live(node, small(limit_s));
    pool.add(stream);
    std::thread source([&] { push_all(*stream, x); });
    CHECK(wait_until([&] { return stream->results().full() && stream->stats().waiting > kRate / 2; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(same_bits(rows_of(*stream), run(*node, kSound, x)));
    source.join();
  }
}

TEST_CASE("untaken: a worker that is slow isn't a consumer that is missing") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(72, 3);
  Pool pool({.workers = 1});
  pool.pause();
  const auto stream = open_live(node, {.overflow = "block", .buffer_s = 0.5, .push_timeout_s = 0.05});
  pool.add(stream);
  std::thread source([&] { push_all(*stream, x); });
  CHECK(wait_until([&] { return stream->stats().waiting > kRate / 2; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  pool.resume();
  CHECK(same_bits(rows_of(*stream), run(*node, kSound, x)));
  source.join();
}
