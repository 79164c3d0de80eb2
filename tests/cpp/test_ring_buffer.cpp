#include <doctest/doctest.h>

#include "core/rows/ring_buffer.hpp"
#include "helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// An item that tells its position.
float item_at(std::int64_t position) { return static_cast<float>(position % 1048573); }

void write_items(RingBuffer& ring, int n) {
  Floats items;
  for (int i = 0; i < n; ++i) items.push_back(item_at(ring.end() + i));
  ring.write(items.data(), items.size());
}

/// Whether every window that starts anywhere in the ring holds the items of its positions.
bool windows_hold(const RingBuffer& ring, int window) {
  for (std::int64_t p = ring.begin(); p < ring.end(); ++p) {
    const float* items = ring.at(p);
    const auto readable = std::min<std::int64_t>(window, ring.end() - p);
    for (std::int64_t i = 0; i < readable; ++i) {
      if (items[i] != item_at(p + i)) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("ring buffer: a window is contiguous at any position") {
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    const int capacity = random.integer(1, 40);
    const int window = random.integer(0, capacity);
    CAPTURE(capacity);
    CAPTURE(window);
    RingBuffer ring(static_cast<std::size_t>(capacity), static_cast<std::size_t>(window));
    bool held = true;
    for (int step = 0; step < 50; ++step) {
      write_items(ring, random.integer(0, static_cast<int>(ring.free())));
      held = held && windows_hold(ring, window);
      ring.discard_before(ring.begin() + random.integer(0, static_cast<int>(ring.size())));
    }
    CHECK(held);
  }
}

TEST_CASE("ring buffer: positions run on past 2^31 and 2^32 and 2^62") {
  for (const int bits : {31, 32, 62}) {
    CAPTURE(bits);
    const std::int64_t edge = std::int64_t{1} << bits;
    RingBuffer ring(7, 7);
    ring.restart_at(edge - 10);
    CHECK(ring.begin() == edge - 10);
    CHECK(ring.size() == 0);
    bool held = true;
    while (ring.end() < edge + 10) {
      write_items(ring, static_cast<int>(ring.free()));
      held = held && windows_hold(ring, 7);
      ring.discard_before(ring.end() - 4);
    }
    CHECK(held);
  }
}

TEST_CASE("ring buffer: a restart forgets everything") {
  RingBuffer ring(5, 3);
  write_items(ring, 5);
  ring.restart_at(100);
  CHECK(ring.begin() == 100);
  CHECK(ring.end() == 100);
  CHECK(ring.free() == 5);
  write_items(ring, 5);
  CHECK(windows_hold(ring, 3));
}

TEST_CASE("ring buffer: discarding never brings items back") {
  RingBuffer ring(5, 5);
  write_items(ring, 4);
  ring.discard_before(3);
  ring.discard_before(1);
  CHECK(ring.begin() == 3);
  CHECK(ring.size() == 1);
}
