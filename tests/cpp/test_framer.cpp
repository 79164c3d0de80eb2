#include <doctest/doctest.h>

#include "core/rows/framer.hpp"
#include "helpers.hpp"
#include "references.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

using Edge = Framer::Edge;
constexpr Edge kEdges[] = {Edge::zeros, Edge::reflect, Edge::repeat, Edge::hold};

/// Frames of the signal pushed in pieces, each in a separate array.
Floats framed(const Floats& x, const Framer::Options& o, const std::vector<std::size_t>& pieces) {
  Framer framer(o);
  Floats frames;
  const auto emit = [&](const float* first, int count) {
    REQUIRE(count >= 1);
    REQUIRE(count <= o.batch);
    for (int i = 0; i < count; ++i) {
      const float* frame = first + std::ptrdiff_t{i} * o.hop;
      frames.insert(frames.end(), frame, frame + o.frame_length);
    }
  };
  auto from = x.begin();
  for (const std::size_t n : pieces) {
    const Floats piece(from, from + static_cast<std::ptrdiff_t>(n));
    framer.push(piece.data(), piece.size(), emit);
    from += static_cast<std::ptrdiff_t>(n);
  }
  framer.flush(emit);
  return frames;
}

}  // namespace

TEST_CASE("framer: frames equal their definition for any chunking") {
  Random random(2);
  int wrong = 0;
  for (int round = 0; round < 6000; ++round) {
    const int length = random.integer(1, 48);
    const int hop = random.integer(1, random.coin() ? length : 3 * length);
    // Half a frame, which centred frames have, or any number; a negative one skips samples.
    const int left = random.coin() ? length / 2 : random.integer(-2 * hop, length);
    const int right = random.coin() ? length / 2 : random.integer(0, length);
    const Edge edge = kEdges[random.integer(0, 3)];
    const Framer::Options options{length, hop, left, right, edge, random.integer(1, 16)};
    const auto n = static_cast<std::size_t>(random.integer(0, random.coin() ? 2 * length : 400));
    const Floats x = random.samples(n);
    const auto pieces = random.pieces(n, random.coin() ? 5 : 200);
    if (same_bits(framed(x, options, pieces), naive_frames(x, options))) continue;
    ++wrong;
    INFO("length ", length, ", hop ", hop, ", pads ", left, " and ", right, ", edge ", int(edge), ", batch ",
         options.batch, ", samples ", n, ", round ", round);
    CHECK_MESSAGE(false, "differs from the definition");
    if (wrong == 5) return;
  }
}

TEST_CASE("framer: one push of a whole signal equals its definition") {
  Random random(3);
  for (const Edge edge : kEdges) {
    for (const int n : {1, 2, 3, 31, 32, 33, 63, 64, 65, 66, 127, 128, 129, 1000, 5000}) {
      CAPTURE(int(edge));
      CAPTURE(n);
      const Framer::Options options{64, 16, 32, 32, edge, 8};
      const Floats x = random.samples(static_cast<std::size_t>(n));
      CHECK(same_bits(framed(x, options, {x.size()}), naive_frames(x, options)));
    }
  }
}

TEST_CASE("framer: one sample at a time equals its definition") {
  Random random(4);
  for (const Edge edge : kEdges) {
    for (const int hop : {1, 10, 16, 17, 40}) {
      CAPTURE(int(edge));
      CAPTURE(hop);
      const Framer::Options options{16, hop, 8, 8, edge, 4};
      const Floats x = random.samples(333);
      const std::vector<std::size_t> ones(x.size(), 1);
      CHECK(same_bits(framed(x, options, ones), naive_frames(x, options)));
    }
  }
}

TEST_CASE("framer: edges are zeros, the mirror image without or with the edge itself, or the edge alone") {
  const Floats x{1, 2, 3, 4, 5};
  CHECK(framed(x, {9, 9, 2, 2, Edge::zeros, 1}, {5}) == Floats{0, 0, 1, 2, 3, 4, 5, 0, 0});
  CHECK(framed(x, {9, 9, 2, 2, Edge::reflect, 1}, {5}) == Floats{3, 2, 1, 2, 3, 4, 5, 4, 3});
  CHECK(framed(x, {9, 9, 2, 2, Edge::repeat, 1}, {5}) == Floats{2, 1, 1, 2, 3, 4, 5, 5, 4});
  CHECK(framed(x, {9, 9, 2, 2, Edge::hold, 1}, {5}) == Floats{1, 1, 1, 2, 3, 4, 5, 5, 5});
  CHECK(framed(x, {3, 3, -2, 1, Edge::repeat, 1}, {5}) == Floats{3, 4, 5});
}

TEST_CASE("framer: a single sample still makes a frame") {
  CHECK(framed({3.0f}, {8, 4, 4, 4, Edge::zeros, 4}, {1}) == Floats{0, 0, 0, 0, 3, 0, 0, 0});
  CHECK(framed({3.0f}, {8, 4, 4, 4, Edge::reflect, 4}, {1}) == Floats(8, 3.0f));
  CHECK(framed({3.0f}, {8, 4, 4, 4, Edge::repeat, 4}, {1}) == Floats(8, 3.0f));
  CHECK(framed({3.0f}, {4, 4, 0, 0, Edge::zeros, 4}, {1}) == Floats{3, 0, 0, 0});
}

TEST_CASE("framer: no samples make no frames") {
  for (const Edge edge : kEdges) {
    CHECK(framed({}, {8, 4, 4, 4, edge, 4}, {}).empty());
    CHECK(framed({}, {8, 4, 4, 4, edge, 4}, {0, 0}).empty());
  }
}
