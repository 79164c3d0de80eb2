#include <doctest/doctest.h>

#include "core/compose/each.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// Gives one row for each of a clip's values above 0, and one more.
class Uneven final : public Node {
 public:
  std::string repr() const override { return "Uneven()"; }
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(100); }
  std::vector<Output> outputs(const StreamSpec& input) const override { return {{"", input}}; }
  std::unique_ptr<Stream> open(const StreamSpec&) const override { return std::make_unique<Run>(); }

 private:
  class Run final : public Stream {
    void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
      for (std::size_t i = 0; i < n_rows; ++i) {
        if (i == 0 || rows[i] > 0) sink.write(0, rows + i, 1);
      }
    }
  };
};

class Count final : public Sink {
 public:
  void write(std::size_t, const float*, std::size_t n_rows) override { n += n_rows; }
  std::size_t n = 0;
};

}  // namespace

TEST_CASE("each: a clip that gives another number of rows is an error") {
  const auto node = std::make_shared<Each>(std::make_shared<Uneven>(), Each::Options{.clip_length = 3});
  const StreamSpec samples = StreamSpec::samples(100);
  CHECK(node->outputs(samples).front().spec.shape == std::vector<std::int64_t>{1});
  const auto stream = node->open(samples);
  Count sink;
  const float even[] = {1, 0, 0, 2, 0, 0};
  stream->push(even, 6, sink);
  CHECK(sink.n == 2);
  const float uneven[] = {0, 0, 0, 0, 1, 1};
  CHECK_THROWS_WITH_AS(stream->push(uneven, 6, sink),
                       "Each: expected 1 rows of each clip, got 3; take a node that gives the same number of "
                       "rows for every clip",
                       ValueError);
  CHECK(sink.n == 3);
}

TEST_CASE("each: clips are the patches that Patches cuts, whatever comes before, between and after them") {
  Random random(92);
  const StreamSpec samples = StreamSpec::samples(100);
  const auto one = std::make_shared<Patches>(Patches::Options{.length = 1});  // a row for each sample
  for (const char* last : {"drop", "pad", "repeat"}) {
    for (const int hop : {2, 5, 9}) {
      for (const int context : {0, 3}) {
        const Patches patches({.length = 5, .hop = hop, .last = last, .pad_value = 0.5, .context = context});
        const Each each(one,
                        {.clip_length = 5, .hop = hop, .last = last, .pad_value = 0.5, .context = context});
        for (const std::size_t n : {0u, 1u, 5u, 23u, 400u}) {
          const Floats x = random.samples(n);
          CHECK(same_bits(run(each, samples, x, random.pieces(n, 7)), run(patches, samples, x)));
        }
        const StreamSpec want = patches.outputs(samples).front().spec;
        const StreamSpec got = each.outputs(samples).front().spec;
        CHECK(got.rate_hz == want.rate_hz);
        CHECK(got.span_s == want.span_s);
        CHECK(got.latency_s == want.latency_s);
        CHECK(each.locality()->n_in == patches.locality()->n_in);
        CHECK(each.locality()->before == patches.locality()->before);
        CHECK(each.locality()->after == patches.locality()->after);
      }
    }
  }
}
