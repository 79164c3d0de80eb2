#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "core/compose/parallel.hpp"
#include "live/arrivals.hpp"
#include "live_helpers.hpp"
#include "onnx_models.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::Chain;

namespace {

/// Pushes in pieces; `served` is called after each, and rows come out of `sink`.
template <class Served>
void feed(Chain& chain, const Floats& x, std::uint32_t seed, Sink& sink, Served&& served) {
  std::size_t done = 0;
  for (const std::size_t n : Random(seed).pieces(x.size(), 3000)) {
    chain.push(x.data() + done, n, sink);
    done += n;
    served();
  }
}

std::vector<Floats> run_chain(const NodePtr& node, const Floats& x, std::uint32_t seed) {
  Chain chain(node, kSound, false);
  Collector collected(*node, kSound);
  feed(chain, x, seed, collected, [] {});
  chain.flush(collected);
  return collected.outputs;
}

/// Hands a batch's rows back to the chain.
class Back final : public Sink {
 public:
  Back(Chain& chain, Sink& sink) : chain_(chain), sink_(sink) {}
  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    chain_.pass_on(output, rows, n_rows, sink_);
  }

 private:
  Chain& chain_;
  Sink& sink_;
};

/// Gives its rows when it is settled; a network with threads may do so.
class Later final : public Node {
 public:
  std::string repr() const override { return "later()"; }
  std::vector<Output> outputs(const StreamSpec& input) const override { return {{"", input}}; }
  std::unique_ptr<Stream> open(const StreamSpec& input) const override {
    return std::make_unique<Run>(input.row_size());
  }

 private:
  class Run final : public Stream {
   public:
    explicit Run(std::size_t row_size) : row_size_(row_size) {}

   private:
    void do_push(const float* rows, std::size_t n_rows, Sink&) override {
      rows_.insert(rows_.end(), rows, rows + n_rows * row_size_);
    }
    void do_settle(Sink& sink) override {
      sink.write(0, rows_.data(), rows_.size() / row_size_);
      rows_.clear();
    }
    void do_flush(Sink& sink) override { do_settle(sink); }

    std::size_t row_size_;
    Floats rows_;
  };
};

std::vector<NodePtr> networks() {
  auto with_branches = front();
  with_branches.push_back(std::make_shared<Parallel>(std::vector<NamedNode>{
      {"rows", through("a", 2)}, {"mean", std::make_shared<Mean>()}, {"max", std::make_shared<Max>()}}));
  std::vector<NodePtr> all{mel(), in_a_row(front()), in_a_row(with_branches),
                           front_and(through("b", 3, nullptr, true))};
  if (has_runtime()) {
    all.push_back(front_and(read_model(FASTAUDIO_GOLDEN "/onnx/ntf.onnx")));
    all.push_back(front_and(read_model(FASTAUDIO_GOLDEN "/onnx/ntf.onnx", {.threads = 2})));
    all.push_back(front_and(read_model(FASTAUDIO_GOLDEN "/onnx/batch4.onnx")));
  }
  return all;
}

}  // namespace

TEST_CASE("chain: gives what Sequential gives, bit for bit") {
  const Floats x = sound(20, 5);
  for (const NodePtr& node : networks()) {
    CAPTURE(node->repr());
    const auto expected = run_all(*node, kSound, x);
    const auto got = run_chain(node, x, 21);
    REQUIRE(got.size() == expected.size());
    for (std::size_t o = 0; o < got.size(); ++o) CHECK(same_bits(got[o], expected[o]));
  }
}

TEST_CASE("chain: held rows that run elsewhere give the same, also at the end of the signal") {
  const Floats x = sound(22, 5);
  for (const NodePtr& node : networks()) {
    CAPTURE(node->repr());
    const auto expected = run_all(*node, kSound, x);
    Collector collected(*node, kSound);
    Chain chain(node, kSound, true);
    Back back(chain, collected);
    bool held = false;
    feed(chain, x, 23, collected, [&] {
      if (chain.n_held() == 0) return;
      held = true;
      const auto batch = chain.batched_part()->batched(8)->open(chain.held_spec());
      batch->push(chain.held().data(), chain.n_held(), back);
      batch->settle(back);
      chain.end_batch(1000, collected);
      CHECK(chain.n_held() == 0);
    });
    chain.flush(collected);
    CHECK(held == (node->parts().back()->batches()));
    REQUIRE(collected.outputs.size() == expected.size());
    for (std::size_t o = 0; o < expected.size(); ++o) {
      CHECK(largest_difference(collected.outputs[o], expected[o]) < 1e-4);
    }
  }
}

TEST_CASE("chain: the parts behind a batch are settled when the batch ends") {
  auto nodes = front();
  nodes.push_back(through("batch", 2, nullptr, true));
  nodes.push_back(std::make_shared<Later>());
  const NodePtr node = in_a_row(nodes);
  Chain chain(node, kSound, true);
  Collector collected(*node, kSound);
  const Floats x = sound(27, 1);
  chain.push(x.data(), x.size(), collected);
  const Floats held = chain.held();
  REQUIRE(chain.n_held() > 0);
  chain.pass_on(0, held.data(), chain.n_held(), collected);
  chain.end_batch(0, collected);
  CHECK(same_bits(collected.outputs.front(), held));
}

TEST_CASE("chain: a restart forgets everything") {
  const Floats x = sound(24, 2);
  const NodePtr node = in_a_row(front());
  Chain chain(node, kSound, false);
  Collector before(*node, kSound);
  chain.push(x.data(), 7000, before);
  chain.flush(before);
  chain.restart();
  Collector after(*node, kSound);
  chain.push(x.data(), x.size(), after);
  chain.flush(after);
  CHECK(same_bits(after.outputs.front(), run(*node, kSound, x)));
}

TEST_CASE("chain: each part is charged the time it takes, and together about the whole") {
  const auto slow = [](const float*, std::size_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // so that a pause elsewhere is little
  };
  const NodePtr node = in_a_row({through("slow", 1, slow), mel(), through("quick", 1)});
  Chain chain(node, kSound, false);
  Collector collected(*node, kSound);
  const Floats x = sound(25, 1);
  const std::int64_t start = live::now_ns();
  for (int i = 0; i < 5; ++i) chain.push(x.data(), x.size(), collected);
  chain.flush(collected);
  const double total = 1e-9 * static_cast<double>(live::now_ns() - start);
  double sum = 0;
  for (const auto& [name, time_s] : chain.times()) sum += time_s;
  REQUIRE(chain.times().size() == 3);
  CHECK(chain.times()[0].first == "slow()");
  CHECK(chain.times()[0].second >= 0.25);
  CHECK(sum <= total);
  CHECK(2 * sum >= total);
}

TEST_CASE("chain: a row comes when it is due, and not two samples before") {
  for (const NodePtr& node : networks()) {
    const auto outputs = node->outputs(kSound);
    if (outputs.size() > 1) continue;
    CAPTURE(node->repr());
    Chain chain(node, kSound, false);
    Collector collected(*node, kSound);
    const Floats x = sound(26, 0.5);
    std::int64_t pushed = 0;
    for (int row = 0; row < 5; ++row) {
      const auto due = static_cast<std::int64_t>(std::ceil(chain.next_due_s() * kRate - 1e-6));
      REQUIRE(due > pushed + 2);
      // A mirrored edge makes the first row wait for one sample more than the others.
      chain.push(x.data() + pushed, static_cast<std::size_t>(due - 2 - pushed), collected);
      const std::size_t before = collected.outputs.front().size();
      chain.push(x.data() + due - 2, 2, collected);
      CHECK(collected.outputs.front().size() == before + outputs.front().spec.row_size());
      pushed = due;
    }
  }
}
