#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>
#include <utility>

#include "live_helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::CaptureRing;
using live::LiveStream;
using live::Pool;

namespace {

Floats read(const CaptureRing& ring, const CaptureRing::Piece& piece) {
  Floats samples(static_cast<std::size_t>(piece.end - piece.begin) * ring.channels());
  CHECK(ring.read(piece.begin, static_cast<std::size_t>(piece.end - piece.begin), samples.data()) == 0);
  return samples;
}

}  // namespace

TEST_CASE(
    "capture ring: skipped samples have positions, and what came before can be read until overwritten") {
  CaptureRing ring(100, 1, 7);
  const Floats samples = Random(80).samples(200);
  ring.write(samples.data(), 30);
  ring.skip(5);
  CHECK(ring.begin() == 7);
  CHECK(ring.end() == 42);
  CHECK(ring.next(37).begin == 42);
  CHECK(ring.next(37).end == 42);
  ring.write(samples.data() + 30, 60);
  CHECK(same_bits(read(ring, ring.next(7)), part_of(samples, 0, 30)));
  CHECK(same_bits(read(ring, ring.next(37)), part_of(samples, 30, 90)));
  ring.skip(std::int64_t{1} << 40);  // longer than the ring
  const std::int64_t end = 102 + (std::int64_t{1} << 40);
  ring.write(samples.data() + 90, 30);
  CHECK(ring.begin() == 27);
  CHECK(same_bits(read(ring, ring.next(0)), part_of(samples, 20, 30)));
  CHECK(same_bits(read(ring, ring.next(37)), part_of(samples, 30, 90)));
  CHECK(same_bits(read(ring, ring.next(102)), part_of(samples, 90, 120)));
  CHECK(ring.next(102).begin == end);
  ring.write(samples.data() + 120, 80);
  CHECK(ring.begin() == end + 10);
  CHECK(ring.n_written() == 200);
  Floats last(20);
  CHECK(ring.read(end, 20, last.data()) == 10);
  CHECK(ring.read(50, 20, last.data()) == 20);
}

TEST_CASE("capture ring: after very many skips the oldest pieces are forgotten, and the others are right") {
  CaptureRing ring(1000, 1, 0);
  for (int i = 0; i < 100; ++i) {
    const auto value = static_cast<float>(i);
    ring.write(&value, 1);
    ring.skip(9);
  }
  int n = 0;
  for (auto piece = ring.next(0); piece.end > piece.begin; piece = ring.next(piece.end), ++n) {
    CHECK(read(ring, piece) == Floats{static_cast<float>(piece.begin / 10)});
  }
  CHECK(n >= 30);
}

TEST_CASE("capture ring: whatever is skipped meanwhile, each sample that a reader accepts is the right one") {
  const auto value_at = [](std::int64_t position) { return static_cast<float>(position % 65521 + 1); };
  CaptureRing ring(300, 1, 0);
  std::atomic<bool> reading{true};
  std::int64_t n_wrong = 0;
  std::thread reader([&] {
    Floats samples(300);
    std::int64_t position = 0;
    for (int n_read = 0; n_read < 3000;) {
      const auto piece = ring.next(position);
      const auto n = static_cast<std::size_t>(piece.end - piece.begin);
      n_read += n > 0;
      if (piece.begin < position || n > 300) ++n_wrong;
      for (std::size_t i = ring.read(piece.begin, n, samples.data()); i < n; ++i) {
        if (samples[i] != value_at(piece.begin + static_cast<std::int64_t>(i))) ++n_wrong;
      }
      position = piece.end;
    }
    reading = false;
  });
  Random random(84);
  while (reading) {
    Floats samples(static_cast<std::size_t>(random.integer(1, 40)));
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] = value_at(ring.end() + static_cast<std::int64_t>(i));
    ring.write(samples.data(), samples.size());
    if (random.coin()) ring.skip(random.integer(0, 500));
    if (random.integer(0, 9) == 0) std::this_thread::yield();
  }
  reader.join();
  CHECK(n_wrong == 0);
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

TEST_CASE("interrupt: sound that still waits when the source comes back is run, whatever the policy") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(85, 3);
  for (const char* overflow : {"drop_oldest", "raise"}) {
    const auto stream = open_live(node, {.overflow = overflow, .buffer_s = 4});
    for (int i = 0; i < 3; ++i) {
      stream->capture(x.data() + i * kRate, kRate, false);
      if (i == 2) break;
      stream->interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(1020));  // the gap isn't hidden by the block
    }
    stream->finish();
    serve(*stream);
    const auto stretches = all_of(stream->results());
    REQUIRE(stretches.size() == 3);
    for (int i = 0; i < 3; ++i) {
      CHECK(same_bits(stretches[std::size_t(i)].rows,
                      run(*node, kSound, part_of(x, i * kRate, (i + 1) * kRate))));
    }
    const auto stats = stream->stats();
    CHECK(stats.delivered == 3 * kRate);
    CHECK(stats.gaps == 2);
  }
}

TEST_CASE("interrupt: a source that is lost again before anybody looked has its last stretch ended too") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(86, 2);
  const auto stream = open_live(node, {.overflow = "drop_oldest", .buffer_s = 4});
  stream->capture(x.data(), kRate, false);
  stream->interrupt();
  std::this_thread::sleep_for(std::chrono::milliseconds(1020));
  stream->capture(x.data() + kRate, kRate, false);
  stream->interrupt();
  serve(*stream);
  CHECK(stream->stats().waiting == 0);
  const std::size_t n_rows = run(*node, kSound, part_of(x, kRate, 2 * kRate)).size() / 12;
  std::size_t n = 0;
  while (const auto result = stream->results().take(std::chrono::nanoseconds(0))) n += result->n_rows;
  CHECK(n == 2 * n_rows);  // without waiting for the source
}

TEST_CASE("interrupt: after an overflow the stretch is ended all the same, and nothing more is lost") {
  const NodePtr node = in_a_row(front());
  const Floats x = sound(87, 4);
  const auto stream = open_live(node, {.overflow = "drop_oldest", .buffer_s = 1});
  stream->capture(x.data(), 3 * kRate, false);
  stream->interrupt();
  serve(*stream);
  const auto before = stream->stats();
  CHECK(before.waiting == 0);
  CHECK(before.gaps == 1);
  Floats rows;
  while (const auto result = stream->results().take(std::chrono::nanoseconds(0)))
    rows.insert(rows.end(), result->values.begin(), result->values.end());
  CHECK(same_bits(rows, run(*node, kSound, part_of(x, 3 * kRate - before.delivered, 3 * kRate))));
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  stream->capture(x.data() + 3 * kRate, 100, false);
  stream->finish();
  serve(*stream);
  CHECK(stream->stats().delivered == before.delivered + 100);
}

TEST_CASE("interrupt: when all of a stretch is overwritten while the one before is flushed, nothing breaks") {
  LiveStream* fed = nullptr;
  bool flushing = false;
  const Floats x = sound(88, 4);
  const NodePtr slow = through("slow", 1, [&](const float*, std::size_t) {
    if (!std::exchange(flushing, false)) return;
    for (int i = 0; i < 2; ++i) {
      fed->interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      fed->capture(x.data(), 100, false);
      fed->capture(x.data(), x.size(), false);  // more than the buffer
    }
  });
  const NodePtr node = in_a_row({mel(), slow});  // whose last rows come when it is flushed
  const auto stream = open_live(node, {.overflow = "drop_oldest", .buffer_s = 0.5});
  fed = stream.get();
  stream->capture(x.data(), kRate / 4, false);
  while (stream->stats().waiting > 0) stream->service();
  stream->capture(x.data(), 2 * kRate, false);
  flushing = true;
  serve(*stream);
  CHECK(!flushing);
  stream->finish();
  serve(*stream);
  CHECK(stream->done());
  static_cast<void>(all_of(stream->results()));
  const auto stats = stream->stats();
  CHECK(stats.captured == stats.delivered + stats.dropped);
  CHECK(stats.waiting == 0);
}
