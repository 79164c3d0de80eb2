#include <doctest/doctest.h>

#include <cmath>

#include "node_examples.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

TEST_CASE("every node: any chunking gives the same rows bit for bit") {
  Random random(40);
  for_each_example([&](const Node& node, const StreamSpec& input) {
    for (const std::size_t n : {0u, 1u, 2u, 7u, 400u, 9000u}) {
      CAPTURE(n);
      const Floats rows = rows_for(node, input, n, random);
      const Floats whole = run(node, input, rows);
      CHECK(whole.size() % node.outputs(input).front().spec.row_size() == 0);
      for (const int largest : {2, 50, 3000}) {
        CHECK(same_bits(run(node, input, rows, random.pieces(n, largest)), whole));
      }
    }
  });
}

TEST_CASE("every node: an empty signal gives no rows") {
  for_each_example([](const Node& node, const StreamSpec& input) {
    CHECK(run(node, input, {}).empty());
    CHECK(run(node, input, {}, {0, 0}).empty());
  });
}

TEST_CASE("every node: silence gives finite rows") {
  for_each_example([](const Node& node, const StreamSpec& input) {
    for (const float value : run(node, input, Floats(3000 * input.row_size(), 0.0f))) {
      REQUIRE(std::isfinite(value));
    }
  });
}

TEST_CASE("every node: two streams don't disturb each other") {
  Random random(41);
  for_each_example([&](const Node& node, const StreamSpec& input) {
    const std::size_t size = input.row_size();
    const Floats a = rows_for(node, input, 2000, random);
    const Floats b = rows_for(node, input, 2000, random);
    Collector from_a(node, input);
    Collector from_b(node, input);
    const auto stream_a = node.open(input);
    const auto stream_b = node.open(input);
    for (std::size_t i = 0; i < 2000; i += 100) {
      push_copy(*stream_a, &a[i * size], 100, size, from_a);
      push_copy(*stream_b, &b[i * size], 100, size, from_b);
    }
    stream_b->flush(from_b);
    stream_a->flush(from_a);
    CHECK(same_bits(from_a.outputs.front(), run(node, input, a)));
    CHECK(same_bits(from_b.outputs.front(), run(node, input, b)));
  });
}

TEST_CASE("every node: nothing is taken after flush") {
  for_each_example([](const Node& node, const StreamSpec& input) {
    const Floats row(input.row_size(), 0.0f);
    Collector sink(node, input);
    const auto stream = node.open(input);
    stream->push(row.data(), 1, sink);
    stream->flush(sink);
    CHECK(message_of<StateError>([&] { stream->push(row.data(), 1, sink); }) ==
          "stream: expected no push after flush, got one; open a new stream");
    CHECK(message_of<StateError>([&] { stream->flush(sink); }) ==
          "stream: expected no flush after flush, got one; open a new stream");
  });
}

TEST_CASE("every node: a stream outlives its node's last owner") {
  Random random(42);
  const auto each = [&]<class T>(std::type_identity<T> type) {
    NodePtr node = std::make_shared<T>(examples(type).back());
    const StreamSpec input = input_of(*node);
    const Floats rows = rows_for(node, input, 3000, random);
    const Floats want = run(*node, input, rows);
    Collector sink(*node, input);
    const auto stream = node->open(input);
    node.reset();
    stream->push(rows.data(), 3000, sink);
    stream->flush(sink);
    CHECK(same_bits(sink.outputs.front(), want));
  };
  std::apply([&](auto... type) { (each(type), ...); }, AllNodes{});
}

TEST_CASE("every node: the kind of its rows says what they have") {
  using Kind = StreamSpec::Kind;
  for_each_example([](const Node& node, const StreamSpec& input) {
    for (const auto& [name, spec] : node.outputs(input)) {
      CHECK((spec.kind == Kind::spectrum) == (spec.bin_hz > 0));
      CHECK((spec.kind == Kind::scores || spec.kind == Kind::events) == !spec.labels.empty());
      CHECK((spec.kind == Kind::events) == (spec.unit == "events"));
    }
  });
}

TEST_CASE("every node: its locality, its rate and its latency agree") {
  for_each_example([](const Node& node, const StreamSpec& input) {
    const auto near = node.locality();
    if (!near) return;
    for (const auto& [name, spec] : node.outputs(input)) {
      const double ratio = static_cast<double>(near->n_out) / static_cast<double>(near->n_in);
      CHECK(spec.rate_hz == doctest::Approx(input.rate_hz * ratio));
      const auto waits_for = static_cast<double>(std::max(near->after, near->first) - 1);
      CHECK(spec.latency_s == doctest::Approx(input.latency_s + waits_for / input.rate_hz));
    }
  });
}
