#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "core/cores.hpp"
#include "core/interrupt.hpp"
#include "core/turn.hpp"

using namespace fastaudio;

TEST_CASE("turns: no more at once than runs may happen, and everyone gets theirs") {
  std::atomic<unsigned> now{0};
  std::atomic<unsigned> most{0};
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k) {
        const Turn turn;
        const unsigned n = ++now;
        unsigned seen = most;
        while (seen < n && !most.compare_exchange_weak(seen, n)) {
        }
        std::this_thread::yield();
        --now;
        ++served;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(served == 3200);
  CHECK(most <= runs_at_once());
}

TEST_CASE("turns: live sound doesn't wait, even if all turns are taken") {
  std::deque<Turn> taken;
  for (unsigned i = 0; i < runs_at_once(); ++i) taken.emplace_back();
  {
    const TurnsAtOnce live_sound;
    CHECK(TurnsAtOnce::active());
    const Turn turn;
    const TurnsAtOnce inner(false);
    CHECK(!TurnsAtOnce::active());
  }
  CHECK(!TurnsAtOnce::active());
}

#ifndef _WIN32
TEST_CASE("turns: a fork's child has its own") {
  std::deque<Turn> taken;
  for (unsigned i = 0; i < runs_at_once(); ++i) taken.emplace_back();
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // ends a child that waits for the parent's turns
    {
      const Turn turn;
    }
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}
#endif

TEST_CASE("turns: who waits for one can be ended, and nobody's turn is lost by it") {
  std::vector<std::unique_ptr<Turn>> all;
  for (unsigned i = 0; i < runs_at_once(); ++i) all.push_back(std::make_unique<Turn>());
  Cancel cancel;
  std::atomic<int> ended{0};
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const Interruptible scope({.cancel = i % 2 == 0 ? &cancel : nullptr});
      try {
        const Turn turn;
        ++served;
      } catch (const Cancelled&) {
        ++ended;
      }
    });
  }
  cancel.cancel();
  while (ended < 4) std::this_thread::yield();
  CHECK(served == 0);
  all.clear();
  for (auto& thread : threads) thread.join();
  CHECK(served == 4);
  for (unsigned i = 0; i < runs_at_once(); ++i) all.push_back(std::make_unique<Turn>());  // all are there
}
