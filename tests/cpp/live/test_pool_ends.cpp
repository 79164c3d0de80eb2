#include <doctest/doctest.h>

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

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

TEST_CASE("pool: an error ends its own stream only, after the results before it") {
  Pool pool({.workers = 2});
  const auto fails = [](const float* rows, std::size_t n_rows) {
    for (std::size_t i = 0; i < n_rows; ++i) {
      if (rows[i] > 5) throw ModelError("network: expected less, got more");
    }
  };
  const NodePtr node = in_a_row({through("fails", 1, fails), mel()});
  const auto bad = open_live(node, kLong);
  const auto good = open_live(node, kLong);
  pool.add(bad);
  pool.add(good);
  Floats x = sound(100, 2);
  push_all(*good, x);
  bad->push(x.data(), x.size());
  CHECK(wait_until([&] { return bad->stats().waiting < 100; }));
  x[0] = 7;
  bad->push(x.data(), x.size());
  std::size_t n_rows = 0;
  CHECK(message_of<ModelError>([&] {
          while (const auto result = bad->results().take(std::chrono::seconds(60))) n_rows += result->n_rows;
        }) == "network: expected less, got more");
  CHECK(n_rows > 0);
  CHECK(
      message_of<StateError>([&] { bad->push(x.data(), 1); }).starts_with("live: expected no sound after "));
  x[0] = sound(100, 2)[0];
  CHECK(same_bits(rows_of(*good), run(*mel(), kSound, x)));
}

TEST_CASE("pool: close wakes threads that push or wait for results") {
  const auto stream = open_live(mel(), {.overflow = "block", .buffer_s = 0.1});
  Pool pool({.workers = 1});
  pool.pause();
  pool.add(stream);
  const Floats x = sound(110, 1);
  std::string message;
  std::thread source([&] { message = message_of<StateError>([&] { stream->push(x.data(), x.size()); }); });
  bool none = false;
  std::thread consumer([&] { none = !stream->results().take(std::chrono::hours(1)); });
  CHECK(wait_until([&] { return stream->stats().waiting > 800; }));
  stream->close();
  source.join();
  consumer.join();
  CHECK(message == "live: expected no sound after close, got some; open a new stream");
  CHECK(none);
  CHECK(stream->results().ended());
  pool.remove(stream, 60);
  CHECK(pool.size() == 0);
}

TEST_CASE("pool: remove waits for the part that runs, for timeout_s at most") {
  std::atomic<bool> running{false};
  std::atomic<bool> go_on{false};
  const auto waits = [&](const float*, std::size_t) {
    running = true;
    wait_until([&] { return go_on.load(); });
  };
  Pool pool({.workers = 1});
  const auto stream = open_live(through("waits", 1, waits), kLong);
  pool.add(stream);
  const Floats x = sound(111, 1);
  stream->push(x.data(), x.size());
  CHECK(wait_until([&] { return running.load(); }));
  pool.remove(stream, 0.01);
  CHECK(stream->claimed());
  CHECK(!stream->results().take(std::chrono::seconds(60)));
  pool.remove(stream, -1);
  go_on = true;
  pool.remove(stream, std::numeric_limits<double>::infinity());
  CHECK(!stream->claimed());
}

TEST_CASE("pool: its end closes open streams, and wakes those who wait for them") {
  const auto stream = open_live(mel(), kLong);
  std::thread consumer;
  {
    Pool pool({.workers = 2});
    pool.add(stream);
    consumer = std::thread([&] {
      while (stream->results().take(std::chrono::hours(1))) {
      }
    });
    const Floats x = sound(112, 3);
    stream->push(x.data(), x.size());
  }
  consumer.join();
  CHECK(stream->closing());
  CHECK(!stream->claimed());
  const Floats x = sound(112, 1);
  CHECK(!message_of<StateError>([&] { stream->push(x.data(), 1); }).empty());
}

TEST_CASE("pool: closed by two threads at once, then it takes no stream") {
  Pool pool({.workers = 2});
  for (int i = 0; i < 3; ++i) pool.add(open_live(mel(), kLong));
  std::thread one([&] { pool.close(); });
  std::thread other([&] { pool.close(); });
  one.join();
  other.join();
  CHECK(pool.size() == 0);
  CHECK(message_of<StateError>([&] {
          pool.add(open_live(mel(), kLong));
        }).starts_with("Pool: expected an open pool, got a closed one"));
  pool.close();
}

#ifndef _WIN32
TEST_CASE("pool: a forked child's copy does nothing, and ends") {
  auto pool = std::make_unique<Pool>(live::PoolOptions{.workers = 2});
  const auto stream = open_live(mel(), kLong);
  pool->add(stream);
  const Floats x = sound(128, 2);
  stream->push(x.data(), x.size());
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    pool->pause();
    pool->resume();
    const bool idle = pool->size() == 0;
    const bool refused = !message_of<StateError>([&] { pool->add(stream); }).empty();
    pool->remove(stream, 60);
    pool->close();
    pool.reset();
    _exit(idle && refused ? 0 : 1);
  }
  int status = -1;
  CHECK(wait_until([&] { return waitpid(child, &status, WNOHANG) == child; }));
  CHECK(status == 0);
  stream->finish();
  CHECK(same_bits(rows_of(*stream), run(*mel(), kSound, x)));
}
#endif
