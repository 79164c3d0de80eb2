#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "live_helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::LiveOptions;
using live::LiveStream;
using live::Pool;

namespace {

std::int64_t frame_of(double seconds) { return std::llround(seconds * kRate); }

/// Checks that each stretch is what the network gives for its samples alone. Returns the number of samples
/// between stretches.
std::int64_t check_stretches(const std::vector<Stretch>& stretches, const NodePtr& node, const Floats& x,
                             std::int64_t start_sample) {
  std::int64_t n_lost = 0;
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    const std::int64_t from = frame_of(stretches[i].base_s) - start_sample;
    std::int64_t to = static_cast<std::int64_t>(x.size());
    if (i + 1 < stretches.size()) {
      to = frame_of(stretches[i + 1].base_s) - start_sample - stretches[i + 1].n_lost;
    }
    REQUIRE(from <= to);
    CHECK(same_bits(stretches[i].rows, run(*node, kSound, part_of(x, from, to))));
    n_lost += stretches[i].n_lost;
  }
  return n_lost;
}

}  // namespace

TEST_CASE(
    "overflow: the oldest samples are lost and counted; the stretches before and after are as if run alone") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(60, 12);
  for (const std::int64_t first :
       {std::int64_t{0}, (std::int64_t{1} << 31) - 4 * kRate, (std::int64_t{1} << 32) - 4 * kRate}) {
    Pool pool({.workers = 1});
    const auto stream = open_live(node, {.overflow = "drop_oldest", .buffer_s = 1.5, .start_sample = first});
    pool.add(stream);
    std::size_t done = 0;
    const auto push = [&](double seconds, bool served) {
      const auto end = std::min(x.size(), done + static_cast<std::size_t>(seconds * kRate));
      while (done < end) {
        const std::size_t n = std::min<std::size_t>(end - done, 80);
        stream->capture(x.data() + done, n, false);
        done += n;
        if (served) REQUIRE(wait_until([&] { return stream->stats().waiting < kRate; }));
      }
    };
    push(2, true);
    pool.pause();
    push(3.3, false);
    pool.resume();
    push(3, true);
    pool.pause();
    push(1.7, false);
    pool.resume();
    push(2, true);
    CHECK(done == x.size());
    stream->finish();
    const auto stretches = all_of(stream->results());
    CHECK(stretches.size() == 3);
    const std::int64_t n_lost = check_stretches(stretches, node, x, first);
    const auto stats = stream->stats();
    CHECK(stats.captured == static_cast<std::int64_t>(x.size()));
    CHECK(stats.dropped == n_lost);
    CHECK(stats.delivered == stats.captured - n_lost);
    CHECK(stats.waiting == 0);
    CHECK(stats.gaps >= 2);  // one more if a turn was under way when the pool paused
    CHECK(n_lost > 0);
  }
}

TEST_CASE("overflow: however slow the worker is, nothing comes out wrong") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(61, 30);
  const auto stream = open_live(node, {.overflow = "drop_oldest", .buffer_s = 0.4});
  Pool pool({.workers = 1});
  pool.add(stream);
  // Pushes without waiting, with a pause in which the worker may catch up.
  std::thread card([&] {
    Random random(62);
    for (std::size_t done = 0; done < x.size();) {
      const std::size_t n = std::min(x.size() - done, std::size_t(random.integer(1, 400)));
      stream->capture(x.data() + done, n, false);
      done += n;
      if (random.integer(0, 99) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    stream->finish();
  });
  std::atomic<bool> looking{true};
  std::atomic<std::int64_t> n_wrong{0};
  std::thread looker([&] {
    while (looking) {
      const auto stats = stream->stats();
      if (stats.captured != stats.delivered + stats.dropped + stats.waiting) ++n_wrong;
      if (stats.delivered < 0 || stats.waiting < 0) ++n_wrong;
    }
  });
  const auto stretches = all_of(stream->results());
  card.join();
  looking = false;
  looker.join();
  CHECK(n_wrong == 0);
  const auto stats = stream->stats();
  CHECK(stats.captured == static_cast<std::int64_t>(x.size()));
  CHECK(stats.delivered + stats.dropped == stats.captured);
  CHECK(check_stretches(stretches, node, x, 0) == stats.dropped);
}

TEST_CASE("overflow: with block the pusher waits and nothing is lost") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(63, 5);
  Pool pool({.workers = 1});
  pool.pause();
  const auto stream = open_live(node, {.overflow = "block", .buffer_s = 1});
  pool.add(stream);
  std::atomic<bool> pushed{false};
  std::thread source([&] {
    stream->push(x.data(), x.size());
    pushed = true;
    stream->finish();
  });
  CHECK(wait_until([&] { return stream->stats().waiting > kRate; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(!pushed);
  CHECK(stream->stats().captured == kRate + 1);
  pool.resume();
  CHECK(same_bits(rows_of(*stream), run(*node, kSound, x)));
  source.join();
  CHECK(stream->stats().dropped == 0);
}

TEST_CASE("overflow: blocks of several threads that wait stay whole") {
  constexpr std::size_t kBlock = 5000;
  const NodePtr node = through("all", 1);
  const auto stream = open_live(node, {.overflow = "block", .buffer_s = 0.1});
  Pool pool({.workers = 1});
  pool.add(stream);
  const auto push = [&](float value) {
    const Floats block(kBlock, value);
    for (int i = 0; i < 10; ++i) stream->push(block.data(), kBlock);
  };
  std::thread one(push, 0.25f);
  std::thread other(push, 0.5f);
  std::thread last([&] {
    one.join();
    other.join();
    stream->finish();
  });
  const Floats rows = rows_of(*stream);
  last.join();
  REQUIRE(rows.size() == 20 * kBlock);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(part_of(rows, std::int64_t(i * kBlock), std::int64_t((i + 1) * kBlock)) ==
          Floats(kBlock, rows[i * kBlock]));
  }
}

TEST_CASE("overflow: with raise a push is refused whole, and the stream goes on") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(64, 3);
  LiveStream stream(node, kSound, {.overflow = "raise", .buffer_s = 1}, false);
  stream.push(x.data(), 7000);
  CHECK(message_of<Overrun>([&] {
          stream.push(x.data() + 7000, 1500);
        }).starts_with("live: expected room for 1500 samples, got 1001; "));
  CHECK(stream.stats().captured == 7000);
  serve(stream);
  stream.push(x.data() + 7000, 1500);
  stream.finish();
  serve(stream);
  CHECK(same_bits(rows_of(stream), run(*node, kSound, part_of(x, 0, 8500))));
}

TEST_CASE("overflow: with raise a sound card's overrun ends the stream, after the results before it") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(65, 4);
  LiveStream stream(node, kSound, {.overflow = "raise", .buffer_s = 1}, false);
  stream.capture(x.data(), 6000, false);
  serve(stream);
  stream.capture(x.data() + 6000, 20000, false);
  serve(stream);
  CHECK(stream.done());
  std::size_t n_rows = 0;
  const std::string message = message_of<Overrun>([&] {
    while (const auto result = stream.results().take(std::chrono::seconds(60))) n_rows += result->n_rows;
  });
  CHECK(n_rows > 0);
  CHECK(message.starts_with("live: expected results to be computed as fast as sound comes, got "));
  CHECK(message_of<StateError>([&] { stream.push(x.data(), 1); }) ==
        "live: expected no sound after an error, got some; open a new stream once this is mended: " +
            message);
  const auto stats = stream.stats();
  CHECK(stats.captured == 26000);
  CHECK(stats.delivered + stats.dropped == 26000);
}

TEST_CASE("overflow: results that nobody takes are bounded; with block they make the sound wait") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(66, 6);
  const std::size_t n_patches = run(*node, kSound, x).size() / 12;
  for (const char* overflow : {"drop_oldest", "raise"}) {
    LiveStream stream(node, kSound, {.overflow = overflow, .buffer_s = 10, .max_results = 3}, false);
    push_in_pieces(stream, x, 1000, 67);
    stream.finish();
    serve(stream);
    CHECK(stream.done());
    const auto stats = stream.stats();
    CHECK(stats.results_waiting == 3);
    std::size_t n_rows = 0;
    while (const auto result = stream.results().take(std::chrono::seconds(60))) n_rows += result->n_rows;
    CHECK(n_rows + static_cast<std::size_t>(stats.results_dropped) == n_patches);
  }
  const auto stream = open_live(node, {.overflow = "block", .buffer_s = 0.5, .max_results = 2});
  Pool pool({.workers = 1});
  pool.add(stream);
  std::atomic<bool> pushed{false};
  std::thread source([&] {
    stream->push(x.data(), x.size());
    pushed = true;
    stream->finish();
  });
  CHECK(wait_until([&] { return stream->results().full() && stream->stats().waiting > kRate / 2; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(!pushed);
  CHECK(same_bits(rows_of(*stream), run(*node, kSound, x)));
  source.join();
  CHECK(stream->stats().results_dropped == 0);
}
