#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "core/interrupt.hpp"

using namespace fastaudio;
using namespace std::chrono_literals;

namespace {

/// Works until it is ended, or for a minute. Returns how that came.
std::string work(Interruptible::Limits limits) {
  const Interruptible scope(limits);
  const auto end = std::chrono::steady_clock::now() + 60s;
  try {
    while (std::chrono::steady_clock::now() < end) check_interrupt();
  } catch (const Cancelled&) {
    return "cancelled";
  } catch (const TimedOut& error) {
    return error.what();
  } catch (int) {
    return "polled";
  }
  return "ran to its end";
}

}  // namespace

TEST_CASE("interrupt: outside a scope nothing ends") {
  CHECK(Interruptible::current() == nullptr);
  check_interrupt();
}

TEST_CASE("interrupt: another thread ends the work") {
  Cancel cancel;
  std::thread other([&] {
    std::this_thread::sleep_for(20ms);
    cancel.cancel();
  });
  CHECK(work({.cancel = &cancel}) == "cancelled");
  other.join();
  CHECK(work({.cancel = &cancel}) == "cancelled");  // and for all
}

TEST_CASE("interrupt: the time limit ends the work, the nearer of two") {
  CHECK(work({.timeout_s = 0.02}) ==
        "call: expected an end within 0.02 s, got none; allow more by timeout_s=");
  const Interruptible outer({.timeout_s = 0.02});
  CHECK(work({.timeout_s = 50}) == "call: expected an end within 0.02 s, got none; allow more by timeout_s=");
}

TEST_CASE("interrupt: what the poll throws comes out, and short work never polls") {
  static std::atomic<int> polls{0};
  const Interruptible::Poll poll = [] {
    ++polls;
    throw 1;
  };
  {
    const Interruptible scope({.poll = poll});
    check_interrupt();
  }
  CHECK(polls == 0);
  CHECK(work({.poll = poll}) == "polled");
  CHECK(polls == 1);
}

TEST_CASE("interrupt: what ends the outer scope ends work on its behalf in other threads") {
  Interruptible scope(Interruptible::Limits{});
  std::string found;
  std::atomic<bool> begun{false};
  std::thread other([&] {
    const Interruptible inner(&scope);
    begun = true;
    found = work({.timeout_s = 50});
  });
  while (!begun) std::this_thread::yield();
  CHECK_FALSE(scope.asked());
  scope.end();
  other.join();
  CHECK(found == "cancelled");
  CHECK(scope.asked());
  CHECK_THROWS_AS(check_interrupt(), Cancelled);
}

TEST_CASE("interrupt: watches are called once, also late ones; none after its end") {
  Cancel cancel;
  int early = 0;
  int late = 0;
  int gone = 0;
  {
    const Cancel::Watch watch(&cancel, [&] { ++gone; });
  }
  const Cancel::Watch nobody(nullptr, [] {});
  const Cancel::Watch before(&cancel, [&] { ++early; });
  cancel.cancel();
  const Cancel::Watch after(&cancel, [&] { ++late; });
  CHECK(early == 1);
  CHECK(late == 1);
  CHECK(gone == 0);
}

TEST_CASE("interrupt: watches come and go while another thread cancels") {
  for (int round = 0; round < 200; ++round) {
    Cancel cancel;
    std::atomic<int> called{0};
    std::thread other([&] { cancel.cancel(); });
    for (int i = 0; i < 20; ++i) const Cancel::Watch watch(&cancel, [&] { ++called; });
    other.join();
    const Cancel::Watch last(&cancel, [&] { ++called; });
    CHECK(called >= 1);
    Interruptible scope({.cancel = &cancel});
    CHECK(scope.cancel() == &cancel);
    CHECK(scope.asked());
  }
}
