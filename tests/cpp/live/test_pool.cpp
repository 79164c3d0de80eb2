#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "live_helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::LiveOptions;
using live::LiveStream;
using live::Pool;

TEST_CASE("pool: several streams on two workers each give their own rows") {
  Pool pool({.workers = 2});
  const NodePtr node = in_a_row(front());
  std::vector<std::shared_ptr<LiveStream>> streams;
  std::vector<std::thread> sources;
  for (std::uint32_t i = 0; i < 6; ++i) {
    streams.push_back(open_live(node, {.overflow = "block", .buffer_s = 0.3}));
    pool.add(streams.back());
  }
  CHECK(pool.size() == 6);
  for (std::uint32_t i = 0; i < 6; ++i) {
    sources.emplace_back([&stream = *streams[i], i] {
      push_in_pieces(stream, sound(70 + i, 3), 2000, i);
      stream.finish();
    });
  }
  for (std::uint32_t i = 0; i < 6; ++i) {
    CHECK(same_bits(rows_of(*streams[i]), run(*node, kSound, sound(70 + i, 3))));
  }
  for (auto& source : sources) source.join();
  CHECK(wait_until([&] { return pool.size() == 0; }));
}

TEST_CASE("pool: a flooded stream doesn't starve the others") {
  for (const int workers : {1, 2}) {
    Pool pool({.workers = workers});
    pool.pause();
    const auto slow = [](const float*, std::size_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    };
    const auto flooded = open_live(in_a_row({through("slow", 1, slow), mel()}), kLong);
    pool.add(flooded);
    const Floats much = sound(80, 50);
    flooded->push(much.data(), much.size());
    std::vector<std::shared_ptr<LiveStream>> others;
    for (std::uint32_t i = 0; i < 5; ++i) {
      others.push_back(open_live(mel(), kLong));
      pool.add(others.back());
      push_all(*others.back(), sound(81 + i, 0.6));
    }
    pool.resume();
    for (std::uint32_t i = 0; i < 5; ++i) {
      CHECK(same_bits(rows_of(*others[i]), run(*mel(), kSound, sound(81 + i, 0.6))));
    }
    CHECK(flooded->stats().waiting > 0);  // 200 turns, which take four seconds
    pool.remove(flooded, 60);
  }
}

TEST_CASE("pool: streams come and go while others run") {
  Pool pool({.workers = 2});
  const NodePtr node = in_a_row(front());
  const auto steady = open_live(node, {.overflow = "block", .buffer_s = 0.3});
  pool.add(steady);
  const Floats x = sound(90, 8);
  std::thread source([&] {
    push_in_pieces(*steady, x, 1500, 91);
    steady->finish();
  });
  std::atomic<int> n_wrong{0};
  const auto visitors = [&](std::uint32_t seed) {
    Random random(seed);
    for (int i = 0; i < 15; ++i) {
      const auto stream = open_live(node, kLong);
      pool.add(stream);
      const Floats y = sound(seed + static_cast<std::uint32_t>(i), 0.4);
      stream->push(y.data(), y.size());
      if (random.coin()) {
        stream->finish();
        std::vector<float> rows;
        while (const auto result = stream->results().take(std::chrono::seconds(60))) {
          rows.insert(rows.end(), result->values.begin(), result->values.end());
        }
        if (!same_bits(rows, run(*node, kSound, y))) ++n_wrong;
      }
      pool.remove(stream, 60);
      if (stream->claimed() || !stream->closing()) ++n_wrong;
    }
  };
  std::thread one(visitors, 92);
  std::thread other(visitors, 192);
  CHECK(same_bits(rows_of(*steady), run(*node, kSound, x)));
  source.join();
  one.join();
  other.join();
  CHECK(n_wrong == 0);
}

TEST_CASE("pool: an idle one wakes up for the next stream") {
  Pool pool({.workers = 1});
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto stream = open_live(mel(), kLong);
    pool.add(stream);
    push_all(*stream, sound(120 + i, 0.5));
    CHECK(same_bits(rows_of(*stream), run(*mel(), kSound, sound(120 + i, 0.5))));
    pool.remove(stream, 60);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST_CASE("pool: while one worker is busy, another notices sound that capture() brings") {
  std::atomic<bool> running{false};
  std::atomic<bool> go_on{false};
  const auto waits = [&](const float*, std::size_t) {
    running = true;
    wait_until([&] { return go_on.load(); });
  };
  Pool pool({.workers = 2});
  for (int i = 0; i < 2; ++i) pool.add(open_live(mel(), kLong));  // both workers are there
  const auto held_up = open_live(through("waits", 1, waits), kLong);
  const auto other = open_live(mel(), kLong);
  pool.add(held_up);
  pool.add(other);
  const Floats x = sound(125, 1);
  held_up->capture(x.data(), x.size(), false);
  CHECK(wait_until([&] { return running.load(); }));
  other->capture(x.data(), x.size(), false);
  CHECK(other->results().take(std::chrono::seconds(60)));
  go_on = true;
  CHECK(held_up->results().take(std::chrono::seconds(60)));
}

TEST_CASE("pool: a swap may come at any time, while other threads read") {
  Pool pool({.workers = 2});
  const auto stream = open_live(front_and(through("0", 2)), {.overflow = "block", .buffer_s = 0.5});
  pool.add(stream);
  const Floats x = sound(126, 20);
  std::thread source([&] {
    push_in_pieces(*stream, x, 3000, 127);
    stream->finish();
  });
  std::thread other([&] {
    for (int i = 1; i <= 20; ++i) {
      stream->swap(front_and(through(std::to_string(i), 2)), i);
      static_cast<void>(stream->stats());
    }
  });
  Floats rows;
  int network = 0;
  while (const auto result = stream->results().take(std::chrono::seconds(60))) {
    CHECK(result->network >= network);
    network = result->network;
    rows.insert(rows.end(), result->values.begin(), result->values.end());
  }
  source.join();
  other.join();
  CHECK(same_bits(rows, run(*front_and(through("0", 2)), kSound, x)));
}

TEST_CASE("pool: options outside their range are refused") {
  CHECK(message_of<ValueError>([] { Pool({.workers = 0}); }) == "Pool: expected workers in [1, 1024], got 0");
  CHECK(!message_of<ValueError>([] { Pool({.batch = 5000}); }).empty());
  CHECK(!message_of<ValueError>([] {
           Pool({.batch_wait_s = std::numeric_limits<double>::quiet_NaN()});
         }).empty());
}
