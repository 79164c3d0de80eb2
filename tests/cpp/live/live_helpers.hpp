/// Helpers for the tests of live streams: nodes that can be watched, and joined results.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/compose/sequential.hpp"
#include "helpers.hpp"
#include "live/pool.hpp"
#include "nodes/all.hpp"

namespace fastaudio::test {

constexpr int kRate = 8000;
inline const StreamSpec kSound = StreamSpec::samples(kRate);

/// Multiplies rows by a factor. Calls a function with them first, which may wait or throw.
class Through final : public Node {
 public:
  using Watch = std::function<void(const float* rows, std::size_t n_rows)>;

  Through(std::string name, float factor, Watch watch = nullptr, bool batches = false)
      : name_(std::move(name)), factor_(factor), watch_(std::move(watch)), batches_(batches) {}

  std::string repr() const override { return name_ + "()"; }
  std::vector<Output> outputs(const StreamSpec& input) const override { return {{"", input}}; }
  std::unique_ptr<Stream> open(const StreamSpec& input) const override {
    return std::make_unique<Run>(keep(this), input.row_size());
  }
  bool batches() const override { return batches_; }
  NodePtr batched(int /*n_rows*/) const override {
    return batches_ ? std::make_shared<Through>(name_, factor_, watch_) : nullptr;
  }

 private:
  class Run final : public Stream {
   public:
    Run(std::shared_ptr<const Through> node, std::size_t row_size)
        : node_(std::move(node)), row_size_(row_size) {}

   private:
    void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
      if (node_->watch_) node_->watch_(rows, n_rows);
      rows_.assign(rows, rows + n_rows * row_size_);
      for (float& value : rows_) value *= node_->factor_;
      sink.write(0, rows_.data(), n_rows);
    }

    std::shared_ptr<const Through> node_;
    std::size_t row_size_;
    Floats rows_;
  };

  std::string name_;
  float factor_;
  Watch watch_;
  bool batches_;
};

inline NodePtr through(std::string name, float factor, Through::Watch watch = nullptr, bool batches = false) {
  return std::make_shared<Through>(std::move(name), factor, std::move(watch), batches);
}

inline NodePtr in_a_row(const std::vector<NodePtr>& nodes) { return std::make_shared<Sequential>(nodes); }

/// Gives a hundred rows of three bands per second.
inline NodePtr mel() {
  return std::make_shared<MelSpectrogram>(MelSpectrogram::Options{
      {.sample_rate = kRate, .n_fft = 256, .hop_length = 80, .pad_mode = "reflect"}, 3});
}

inline NodePtr patches(int length = 4) {
  return std::make_shared<Patches>(Patches::Options{.length = length, .hop = length});
}

/// Patches of four rows of three bands, which the small networks take.
inline std::vector<NodePtr> front() { return {mel(), std::make_shared<Log>(Log::Options{}), patches()}; }

inline NodePtr front_and(const NodePtr& last) {
  auto nodes = front();
  nodes.push_back(last);
  return in_a_row(nodes);
}

inline Floats sound(std::uint32_t seed, double seconds) {
  return Random(seed).samples(static_cast<std::size_t>(seconds * kRate));
}

inline Floats part_of(const Floats& x, std::int64_t from, std::int64_t to) {
  return {x.begin() + from, x.begin() + to};
}

/// Waits for other threads, long enough for any machine; returns whether the condition came true.
template <class Condition>
bool wait_until(Condition&& condition) {
  const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > last) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Rows of one output that follow each other without a gap.
struct Stretch {
  int network = 0;
  std::size_t output = 0;
  bool provisional = false;
  double base_s = 0;
  std::int64_t n_lost = 0;  ///< before it
  std::size_t n_rows = 0;
  Floats rows;
};

/// Joins results, and checks that their row numbers go on from one to the next.
inline void put_together(std::vector<Stretch>& stretches, const live::Result& result) {
  const auto same = [&](const Stretch& last) {
    return last.network == result.network && last.output == result.output && last.base_s == result.base_s &&
           last.provisional == result.provisional;
  };
  auto at = std::find_if(stretches.begin(), stretches.end(), same);
  if (at == stretches.end()) {
    stretches.push_back({result.network, result.output, result.provisional, result.base_s, result.n_lost});
    at = stretches.end() - 1;
  } else {
    CHECK(result.n_lost == 0);
  }
  CHECK(result.first_row == static_cast<std::int64_t>(at->n_rows));
  at->n_rows += result.n_rows;
  at->rows.insert(at->rows.end(), result.values.begin(), result.values.end());
}

/// Takes all results until they end, and throws the error that ended them.
inline std::vector<Stretch> all_of(live::Results& results) {
  std::vector<Stretch> stretches;
  while (auto result = results.take(std::chrono::seconds(60))) put_together(stretches, *result);
  CHECK(results.ended());
  return stretches;
}

/// Takes the rows of a stream that has one output and no gaps.
inline Floats rows_of(live::LiveStream& stream) {
  const auto stretches = all_of(stream.results());
  REQUIRE(stretches.size() == 1);
  CHECK(stretches.front().n_lost == 0);
  return stretches.front().rows;
}

/// Does the work of a worker until none is left.
inline void serve(live::LiveStream& stream) {
  while (stream.ready()) stream.service();
}

inline void push_in_pieces(live::LiveStream& stream, const Floats& x, int largest, std::uint32_t seed) {
  std::size_t done = 0;
  for (const std::size_t n : Random(seed).pieces(x.size(), largest)) {
    stream.push(x.data() + done, n);
    done += n;
  }
}

inline std::shared_ptr<live::LiveStream> open_live(const NodePtr& node, const live::LiveOptions& options = {},
                                                   bool hold = false) {
  return std::make_shared<live::LiveStream>(node, kSound, options, hold);
}

/// Options that lose nothing, however late the results are taken.
inline const live::LiveOptions kLong{.overflow = "block", .buffer_s = 60, .max_results = 100000};

inline void push_all(live::LiveStream& stream, const Floats& x) {
  stream.push(x.data(), x.size());
  stream.finish();
}

}  // namespace fastaudio::test
