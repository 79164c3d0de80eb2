#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "live/arrivals.hpp"
#include "live_helpers.hpp"
#include "onnx_models.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::LiveOptions;
using live::LiveStream;
using live::Pool;

namespace {

/// Keeps the largest number of rows in a run.
struct Largest {
  std::atomic<std::size_t> n_rows{0};
  Through::Watch watch() {
    return [this](const float*, std::size_t n) {
      std::size_t before = n_rows;
      while (before < n && !n_rows.compare_exchange_weak(before, n)) {
      }
    };
  }
};

}  // namespace

TEST_CASE("batches: rows of several streams run together equal those of each stream alone") {
  Largest largest;
  std::vector<NodePtr> networks{front_and(through("batch", 2, largest.watch(), true))};
  if (has_runtime()) {
    networks.push_back(front_and(read_model(FASTAUDIO_GOLDEN "/onnx/ntf.onnx")));
    networks.push_back(front_and(read_model(FASTAUDIO_GOLDEN "/onnx/batch4.onnx")));
  }
  for (const NodePtr& node : networks) {
    CAPTURE(node->repr());
    Pool pool({.workers = 2, .batch = 4, .batch_wait_s = 0.02});
    pool.pause();
    std::vector<std::shared_ptr<LiveStream>> streams;
    for (std::uint32_t i = 0; i < 5; ++i) {
      streams.push_back(open_live(node, kLong, true));
      pool.add(streams.back());
      const Floats x = sound(130 + i, 1 + 0.2 * i);
      streams.back()->push(x.data(), x.size());
      streams.back()->finish();
    }
    pool.resume();
    for (std::uint32_t i = 0; i < 5; ++i) {
      const Floats alone = run(*node, kSound, sound(130 + i, 1 + 0.2 * i));
      CHECK(largest_difference(rows_of(*streams[i]), alone) < 1e-3);
      CHECK(streams[i]->stats().parts.back().second > 0);
    }
  }
  CHECK(largest.n_rows > 1);
}

TEST_CASE("batches: the parts behind a batch belong to each stream alone, and so do their errors") {
  std::atomic<int> n_failed{0};
  const auto fails_once = [&](const float*, std::size_t) {
    if (n_failed++ == 0) throw ModelError("head: expected luck, got none");
  };
  auto nodes = front();
  nodes.push_back(through("batch", 2, nullptr, true));
  nodes.push_back(through("head", 3));
  const NodePtr node = in_a_row(nodes);
  nodes.back() = through("unlucky", 3, fails_once);
  const NodePtr unlucky = in_a_row(nodes);  // the same batch
  Pool pool({.workers = 1, .batch = 2, .batch_wait_s = 0.02});
  pool.pause();
  const auto good = open_live(node, kLong, true);
  const auto bad = open_live(unlucky, kLong, true);
  const Floats x = sound(140, 1);
  for (const auto& stream : {good, bad}) {
    pool.add(stream);
    stream->push(x.data(), x.size());
    stream->finish();
  }
  pool.resume();
  CHECK(message_of<ModelError>([&] { all_of(bad->results()); }) == "head: expected luck, got none");
  CHECK(same_bits(rows_of(*good), run(*node, kSound, x)));
}

TEST_CASE("batches: an error ends the streams in the batch, and later ones run") {
  std::atomic<int> n_runs{0};
  const auto fails_once = [&](const float*, std::size_t) {
    if (n_runs++ == 0) throw ModelError("batch: expected luck, got none");
  };
  const NodePtr node = front_and(through("batch", 2, fails_once, true));
  Pool pool({.workers = 1, .batch = 2});
  const Floats x = sound(141, 1);
  const auto first = open_live(node, kLong, true);
  pool.add(first);
  first->push(x.data(), x.size());
  CHECK(message_of<ModelError>([&] { all_of(first->results()); }) == "batch: expected luck, got none");
  const auto second = open_live(node, kLong, true);
  pool.add(second);
  second->push(x.data(), x.size());
  second->finish();
  CHECK(same_bits(rows_of(*second), run(*node, kSound, x)));
}

TEST_CASE("batches: rows of different shapes go to the same node one shape at a time") {
  const NodePtr shared = through("batch", 2, nullptr, true);
  const NodePtr node = in_a_row({mel(), patches(4), shared});
  const NodePtr longer = in_a_row({mel(), patches(7), shared});
  Pool pool({.workers = 2, .batch = 4, .batch_wait_s = 0.01});
  pool.pause();
  const Floats x = sound(142, 2);
  std::vector<std::shared_ptr<LiveStream>> streams;
  for (const NodePtr& one : {node, longer, node, longer}) {
    streams.push_back(open_live(one, kLong, true));
    pool.add(streams.back());
    streams.back()->push(x.data(), x.size());
    streams.back()->finish();
  }
  pool.resume();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(same_bits(rows_of(*streams[i]), run(i % 2 == 0 ? *node : *longer, kSound, x)));
  }
}

TEST_CASE("batches: a row waits batch_wait_s for others, then runs alone") {
  const NodePtr node = front_and(through("batch", 2, nullptr, true));
  Pool pool({.workers = 1, .batch = 8, .batch_wait_s = 0.1});
  const auto stream = open_live(node, kLong, true);
  pool.add(stream);
  const Floats x = sound(143, 0.06);
  const std::int64_t start = live::now_ns();
  stream->push(x.data(), x.size());
  CHECK(stream->results().take(std::chrono::seconds(60)));
  CHECK(live::now_ns() - start >= 100'000'000);
}

TEST_CASE("batches: a stream whose row waits is released at once when it, or its pool, is closed") {
  const NodePtr node = front_and(through("batch", 2, nullptr, true));
  const Floats x = sound(144, 0.06);
  for (const bool by_pool : {false, true}) {
    Pool pool({.workers = 1, .batch = 8, .batch_wait_s = 60});
    const auto stream = open_live(node, kLong, true);
    pool.add(stream);
    stream->push(x.data(), x.size());
    CHECK(wait_until([&] { return stream->claimed(); }));
    const std::int64_t start = live::now_ns();
    if (by_pool) pool.close();
    pool.remove(stream, 60);
    CHECK(!stream->claimed());
    CHECK(live::now_ns() - start < 30'000'000'000);
  }
}

TEST_CASE("batches: after a swap, rows join the new network's batches") {
  Pool pool({.workers = 2, .batch = 4, .batch_wait_s = 0.005});
  const Floats x = sound(145, 4);
  std::vector<std::shared_ptr<LiveStream>> streams;
  const NodePtr second = front_and(through("second", 2, nullptr, true));
  const NodePtr first = front_and(through("first", 2, nullptr, true));
  for (int i = 0; i < 3; ++i) {
    streams.push_back(open_live(first, kLong, true));
    pool.add(streams.back());
    streams.back()->push(x.data(), x.size() / 2);
  }
  for (const auto& stream : streams) {
    stream->swap(second, 1);
    stream->push(x.data() + x.size() / 2, x.size() - x.size() / 2);
    stream->finish();
  }
  for (const auto& stream : streams) {
    Floats rows;
    for (const Stretch& stretch : all_of(stream->results())) {
      rows.insert(rows.end(), stretch.rows.begin(), stretch.rows.end());
    }
    CHECK(same_bits(rows, run(*first, kSound, x)));
  }
}
