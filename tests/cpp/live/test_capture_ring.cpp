#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "helpers.hpp"
#include "live/capture_ring.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::CaptureRing;

namespace {

/// A value that differs from those of all other samples that may be in its place.
float value_at(std::int64_t position) { return static_cast<float>(position % 65521 + 1) / 65536.0f; }

/// Two channels.
Floats frames_at(std::int64_t position, std::size_t n) {
  Floats samples;
  for (std::size_t i = 0; i < n; ++i, ++position) {
    samples.push_back(value_at(position));
    samples.push_back(-value_at(position));
  }
  return samples;
}

constexpr std::int64_t kStarts[] = {0, 7, (std::int64_t{1} << 31) - 50, (std::int64_t{1} << 32) - 50,
                                    1'000'000'000'000'000};

}  // namespace

TEST_CASE("capture ring: what was written is read, at any position and around the end of the memory") {
  for (const std::int64_t first : kStarts) {
    CaptureRing ring(100, 2, first);
    CHECK(ring.begin() == first);
    CHECK(ring.end() == first);
    std::int64_t end = first;
    for (const std::size_t n : Random(1).pieces(1000, 60)) {
      const Floats samples = frames_at(end, n);
      CHECK(ring.write(samples.data(), n) == 0);
      end += static_cast<std::int64_t>(n);
      CHECK(ring.end() == end);
      CHECK(ring.begin() == std::max(first, end - 100));
      const auto kept = static_cast<std::size_t>(end - ring.begin());
      Floats read(2 * kept);
      CHECK(ring.read(ring.begin(), kept, read.data()) == 0);
      CHECK(same_bits(read, frames_at(ring.begin(), kept)));
    }
  }
}

TEST_CASE("capture ring: a late reader learns how many samples it lost, and the rest is right") {
  CaptureRing ring(100, 2, 0);
  const Floats samples = frames_at(0, 130);
  ring.write(samples.data(), 130);
  Floats read(2 * 100);
  CHECK(ring.read(10, 100, read.data()) == 20);
  CHECK(same_bits(Floats(read.begin() + 40, read.end()), frames_at(30, 80)));
  CHECK(ring.read(0, 20, read.data()) == 20);
}

TEST_CASE("capture ring: one write may be longer than the ring") {
  CaptureRing ring(100, 2, 0);
  const Floats samples = frames_at(0, 1234);
  ring.write(samples.data(), 1234);
  Floats read(2 * 100);
  CHECK(ring.read(1134, 100, read.data()) == 0);
  CHECK(same_bits(read, frames_at(1134, 100)));
}

TEST_CASE("capture ring: values that aren't finite become silence and are counted; 16 bits span +-1") {
  CaptureRing ring(16, 1, 0);
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const Floats bad{0.5f, kNaN, kInfinite, -kInfinite, 1e13f, -0.75f};
  CHECK(ring.write(bad.data(), bad.size()) == 4);
  CHECK(ring.take_peak() == 0.75f);
  CHECK(ring.take_peak() == 0);
  const std::int16_t integers[] = {-32768, 16384, 0, 1};
  CHECK(ring.write(integers, 4) == 0);
  CHECK(ring.take_peak() == 1);
  Floats read(10);
  CHECK(ring.read(0, 10, read.data()) == 0);
  CHECK(same_bits(read, {0.5f, 0, 0, 0, 0, -0.75f, -1, 0.5f, 0, 1.0f / 32768}));
}

TEST_CASE(
    "capture ring: under a writer that never waits, each sample that a reader accepts is the right one") {
  constexpr std::int64_t kFirst = (std::int64_t{1} << 32) - 10000;
  constexpr int kReads = 1500;
  CaptureRing ring(500, 2, kFirst);
  std::atomic<int> reading{2};
  std::atomic<std::int64_t> n_wrong{0};
  std::atomic<std::int64_t> n_accepted{0};
  const auto reader = [&](std::uint32_t seed) {
    Random random(seed);
    Floats read(2 * 500);
    for (int i = 0; i < kReads;) {
      const std::int64_t end = ring.end();
      // The oldest are those that are overwritten meanwhile, the newest may be kept.
      const std::int64_t oldest = std::min(ring.begin(), end);
      const std::int64_t from = random.coin() ? oldest : std::max(oldest, end - random.integer(1, 100));
      const auto n = std::min(static_cast<std::size_t>(end - from), std::size_t(random.integer(1, 500)));
      if (n == 0) continue;  // nothing is written yet
      ++i;
      const std::size_t n_lost = ring.read(from, n, read.data());
      for (std::size_t k = n_lost; k < n; ++k) {
        const float expected = value_at(from + static_cast<std::int64_t>(k));
        if (read[2 * k] != expected || read[2 * k + 1] != -expected) ++n_wrong;
      }
      n_accepted += static_cast<std::int64_t>(n - n_lost);
    }
    --reading;
  };
  std::thread one(reader, 2);
  std::thread other(reader, 3);
  Random random(4);
  for (std::int64_t position = kFirst; reading > 0;) {
    const auto n = static_cast<std::size_t>(random.integer(1, 120));
    const Floats samples = frames_at(position, n);
    ring.write(samples.data(), n);
    position += static_cast<std::int64_t>(n);
    if (random.integer(0, 9) == 0) std::this_thread::yield();
  }
  one.join();
  other.join();
  CHECK(n_wrong == 0);
  CHECK(n_accepted > 0);
}
