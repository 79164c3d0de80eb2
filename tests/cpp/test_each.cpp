#include <doctest/doctest.h>

#include "core/compose/each.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// Gives as many rows as a clip has values above 0, and one.
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

class Discard final : public Sink {
 public:
  void write(std::size_t, const float*, std::size_t n_rows) override { n += n_rows; }
  std::size_t n = 0;
};

}  // namespace

TEST_CASE("each: a clip that gives another number of rows is an error") {
  const auto node = std::make_shared<Each>(std::make_shared<Uneven>(), Each::Options{});
  const StreamSpec clips{1, {3}, "samples", {}, 0, 0, 0};
  CHECK(node->outputs(clips).front().spec.shape == std::vector<std::int64_t>{1});
  const auto stream = node->open(clips);
  Discard sink;
  const float even[] = {1, 0, 0, 2, 0, 0};
  stream->push(even, 2, sink);
  CHECK(sink.n == 2);
  const float uneven[] = {0, 0, 0, 0, 1, 1};
  CHECK_THROWS_WITH_AS(
      stream->push(uneven, 2, sink),
      "Each: expected 1 rows of each clip, got 3; take a node that gives as many for any clip", ValueError);
  CHECK(sink.n == 3);
}
