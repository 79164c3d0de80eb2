// What Python's threads do to streams and nodes all at once; the thread sanitizer looks on.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "core/compose/each.hpp"
#include "core/interrupt.hpp"
#include "live_helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::LiveStream;
using live::Pool;
using namespace std::chrono_literals;

namespace {

/// Runs calls in threads of their own until all of them return.
class Threads {
 public:
  ~Threads() {
    for (std::thread& thread : threads_) thread.join();
  }
  template <class Call>
  void start(int n, Call call) {
    for (int i = 0; i < n; ++i) threads_.emplace_back(call, i);
  }

 private:
  std::vector<std::thread> threads_;
};

/// Calls again and again, until the stream refuses or `done`.
template <class Call>
void until_closed(const std::atomic<bool>& done, Call&& call) {
  try {
    while (!done) call();
  } catch (const Error&) {
  }
}

const auto for_ever = [](const float*, std::size_t) {
  for (;;) check_interrupt();
};

}  // namespace

TEST_CASE("threads: streams are pushed to, taken from, swapped, looked at and closed all at once") {
  Pool pool({.workers = 3, .batch = 4, .batch_wait_s = 0.001});
  const Floats x = sound(200, 0.3);
  const NodePtr network = through("network", 2, nullptr, true);
  const NodePtr other = through("other", 3, nullptr, true);
  for (int round = 0; round < 12; ++round) {
    const char* policies[] = {"block", "drop_oldest", "raise"};
    const live::LiveOptions options{.overflow = policies[round % 3], .buffer_s = 0.5, .max_results = 4};
    const auto stream = open_live(front_and(network), options, true);
    pool.add(stream);
    std::atomic<bool> done{false};
    Threads threads;
    threads.start(2, [&](int) { until_closed(done, [&] { stream->push(x.data(), x.size()); }); });
    threads.start(2, [&](int) { until_closed(done, [&] { stream->results().take(1ms); }); });
    threads.start(1, [&](int) {
      for (int network_number = 1; !done; ++network_number) {
        stream->swap(front_and(network_number % 2 ? other : network), network_number);
        std::this_thread::sleep_for(1ms);
      }
    });
    threads.start(1, [&](int) {
      Floats samples(2000);
      while (!done) {
        stream->stats();
        stream->take_peak();
        const auto piece = stream->ring().next(0);
        const auto n = static_cast<std::size_t>(piece.end - piece.begin);
        if (n <= samples.size()) stream->ring().read(piece.begin, n, samples.data());
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + 3 * round));
    threads.start(2, [&](int i) {
      if (i == 0 && round % 2) stream->finish();
      pool.remove(stream, 60);
      done = true;
    });
  }
  CHECK(pool.size() == 0);
}

TEST_CASE("threads: a sound card's callback goes on while its stream is interrupted, finished and closed") {
  Pool pool({.workers = 2});
  const Floats block = sound(201, 0.01);
  for (int round = 0; round < 10; ++round) {
    const auto stream =
        open_live(front_and(through("network", 2)), {.overflow = "drop_oldest", .buffer_s = 0.1});
    pool.add(stream);
    std::atomic<bool> done{false};
    Threads threads;
    threads.start(1, [&](int) {
      for (int i = 0; !done; ++i) {
        stream->capture(block.data(), block.size(), i % 7 == 0);
        if (i % 50 == 0) stream->interrupt();
        std::this_thread::sleep_for(100us);
      }
    });
    threads.start(1, [&](int) { until_closed(done, [&] { stream->results().take(1ms); }); });
    std::this_thread::sleep_for(20ms);
    if (round % 2) stream->finish();
    std::this_thread::sleep_for(2ms);
    pool.remove(stream, 60);
    done = true;
  }
  CHECK(pool.size() == 0);
}

TEST_CASE("threads: close ends a network that would run for ever, alone and in a batch") {
  const Floats x = sound(202, 1);
  for (const bool batches : {false, true}) {
    auto pool = std::make_unique<Pool>(live::PoolOptions{.workers = 2, .batch = batches ? 4 : 1});
    const auto stream = open_live(front_and(through("endless", 1, for_ever, batches)), kLong, batches);
    pool->add(stream);
    stream->push(x.data(), x.size());
    CHECK(wait_until([&] { return stream->claimed(); }));
    std::this_thread::sleep_for(5ms);
    if (!batches) {
      pool->remove(stream, 60);
      CHECK(!stream->claimed());
    }
    pool.reset();  // ends the batch
    CHECK(!stream->results().take(60s));
  }
}

TEST_CASE("threads: who waits for a stream that won't end is ended by Cancel and by a time limit") {
  std::atomic<bool> go_on{false};
  const auto stubborn = [&](const float*, std::size_t) { wait_until([&] { return go_on.load(); }); };
  Pool pool({.workers = 1});
  const auto stream = open_live(through("stubborn", 1, stubborn), kLong);
  pool.add(stream);
  const Floats x = sound(203, 1);
  stream->push(x.data(), x.size());
  CHECK(wait_until([&] { return stream->claimed(); }));
  Cancel cancel;
  std::thread other([&] { cancel.cancel(); });
  {
    const Interruptible scope({.cancel = &cancel});
    CHECK_THROWS_AS(pool.remove(stream, 60), Cancelled);
  }
  other.join();
  {
    const Interruptible scope({.timeout_s = 0.01});
    CHECK_THROWS_AS(pool.remove(stream, 60), TimedOut);
  }
  CHECK(stream->closing());
  go_on = true;
  pool.remove(stream, 60);
  CHECK(pool.size() == 0);
}

TEST_CASE("threads: one node runs in many threads, each of which may be ended") {
  const NodePtr clips = std::make_shared<Each>(in_a_row({mel(), std::make_shared<Log>(Log::Options{})}),
                                               Each::Options{.clip_length = 2000, .hop = 1000});
  const Floats x = sound(204, 1);
  const Floats want = run(*clips, kSound, x);
  std::atomic<int> n_whole{0};
  for (int round = 0; round < 8; ++round) {
    const NodePtr fresh = clips->with_children({clips->children()[0].node});  // it has counted no rows yet
    Cancel cancel;
    Threads threads;
    threads.start(4, [&](int i) {
      const Interruptible scope({.cancel = i % 2 ? &cancel : nullptr});
      try {
        for (int again = 0; again < 3; ++again) {
          check_interrupt();
          const bool same = same_bits(run(*fresh, kSound, x), want);
          n_whole += same ? 1 : -1000;
        }
      } catch (const Cancelled&) {
      }
    });
    threads.start(1, [&](int) { cancel.cancel(); });
  }
  CHECK(n_whole >= 8 * 2 * 3);
}
