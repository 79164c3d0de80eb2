#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "live_helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::CaptureRing;
using live::LiveStream;
using live::Pool;

TEST_CASE("capture ring: what was skipped has positions, and neither it nor what came before can be read") {
  CaptureRing ring(100, 1, 7);
  const Floats samples = Random(80).samples(200);
  ring.write(samples.data(), 30);
  ring.skip(5);
  CHECK(ring.begin() == 42);
  CHECK(ring.end() == 42);
  ring.write(samples.data() + 30, 60);
  CHECK(ring.begin() == 42);
  CHECK(ring.floor() == 42);
  Floats read(60);
  CHECK(ring.read(42, 60, read.data()) == 0);
  CHECK(same_bits(read, part_of(samples, 30, 90)));
  ring.skip(std::int64_t{1} << 40);  // longer than the ring
  const std::int64_t end = 102 + (std::int64_t{1} << 40);
  CHECK(ring.begin() == end);
  ring.write(samples.data() + 90, 110);
  CHECK(ring.begin() == end + 10);
  CHECK(ring.read(end, 20, read.data()) == 10);
}

TEST_CASE("interrupt: the sound before and after it is run as two clips, and the gap is as long as it took") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(81, 6);
  const std::int64_t half = 3 * kRate + 77;
  for (const char* overflow : {"block", "drop_oldest", "raise"}) {
    for (const double buffer_s : {0.02, 10.0}) {  // the gap is longer than the shorter buffer
      const auto stream = open_live(node, {.overflow = overflow, .buffer_s = buffer_s, .start_sample = 500});
      const auto feed = [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t at = from; at < to; at += 100) {
          stream->push(x.data() + at, static_cast<std::size_t>(std::min<std::int64_t>(100, to - at)));
          serve(*stream);
        }
      };
      feed(0, half);
      stream->interrupt();
      serve(*stream);
      const auto before = stream->stats();
      CHECK(before.delivered == half);
      CHECK(before.waiting == 0);
      CHECK(before.interruptions == 1);
      CHECK(before.gaps == 0);  // nobody knows yet how long it is
      std::this_thread::sleep_for(std::chrono::milliseconds(60));
      feed(half, static_cast<std::int64_t>(x.size()));
      stream->finish();
      serve(*stream);
      const auto stretches = all_of(stream->results());
      REQUIRE(stretches.size() == 2);
      CHECK(same_bits(stretches[0].rows, run(*node, kSound, part_of(x, 0, half))));
      CHECK(same_bits(stretches[1].rows, run(*node, kSound, part_of(x, half, std::int64_t(x.size())))));
      const std::int64_t n_lost = stretches[1].n_lost;
      CHECK(n_lost >= 60 * kRate / 1000 - 100);  // the block itself took its time
      CHECK(std::llround(stretches[1].base_s * kRate) == 500 + half + n_lost);
      const auto stats = stream->stats();
      CHECK(stats.captured == static_cast<std::int64_t>(x.size()) + n_lost);
      CHECK(stats.delivered == static_cast<std::int64_t>(x.size()));
      CHECK(stats.dropped == n_lost);
      CHECK(stats.gaps == 1);
    }
  }
}

TEST_CASE("interrupt: before any sound, twice, or before the end it changes nothing") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(82, 2);
  const auto stream = open_live(node, {});
  stream->interrupt();
  serve(*stream);
  stream->push(x.data(), x.size());
  serve(*stream);
  stream->interrupt();
  serve(*stream);
  stream->interrupt();
  stream->finish();
  serve(*stream);
  CHECK(stream->done());
  CHECK(same_bits(rows_of(*stream), run(*node, kSound, x)));
  CHECK(stream->stats().interruptions == 3);
}

TEST_CASE("interrupt: under a pool nothing is lost but the gap, whichever thread is first") {
  const NodePtr node = in_a_row(front());
  Pool pool({.workers = 2});
  const Floats x = sound(83, 0.5);
  const auto stream = open_live(node, {.overflow = "drop_oldest", .buffer_s = 10, .max_results = 100000});
  pool.add(stream);
  for (int i = 0; i < 20; ++i) {
    stream->capture(x.data(), x.size(), false);
    stream->interrupt();
    if (i % 2 == 0) CHECK(wait_until([&] { return stream->stats().waiting == 0; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
  }
  stream->finish();
  for (const auto& stretch : all_of(stream->results())) {
    const std::size_t n = std::min(stretch.rows.size(), std::size_t{12});
    const Floats clip = run(*node, kSound, x);
    CHECK(Floats(stretch.rows.begin(), stretch.rows.begin() + std::ptrdiff_t(n)) ==
          Floats(clip.begin(), clip.begin() + std::ptrdiff_t(n)));
  }
  const auto stats = stream->stats();
  CHECK(stats.captured == stats.delivered + stats.dropped);
}
