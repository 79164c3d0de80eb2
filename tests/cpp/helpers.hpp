/// What the tests share: noise, exact comparison, and streams fed in pieces.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/node.hpp"

namespace fastaudio::test {

using Floats = std::vector<float>;

/// The same numbers on every platform, which the standard's distributions don't promise.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  /// Uniform in [low, high].
  int integer(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint32_t>(high - low + 1));
  }

  bool coin() { return integer(0, 1) == 1; }

  /// Uniform in [-1, 1).
  float sample() { return static_cast<float>(engine_() >> 8) / static_cast<float>(1 << 23) - 1.0f; }

  Floats samples(std::size_t n) {
    Floats x(n);
    for (float& value : x) value = sample();
    return x;
  }

  /// Sizes that sum to `total`, zeros and single ones among them.
  std::vector<std::size_t> pieces(std::size_t total, int largest) {
    std::vector<std::size_t> sizes;
    while (total > 0) {
      const int most = integer(0, 3) == 0 ? 1 : largest;
      const std::size_t n = std::min(total, static_cast<std::size_t>(integer(0, most)));
      sizes.push_back(n);
      total -= n;
    }
    return sizes;
  }

 private:
  std::mt19937 engine_;
};

/// Tells 0.0 from -0.0, and a NaN equals itself.
inline bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Between values at the same place; infinite if a NaN is among them or the sizes differ.
inline double largest_difference(const Floats& a, const Floats& b) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return kInfinite;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(double{a[i]} - double{b[i]});
    worst = std::isnan(difference) ? kInfinite : std::max(worst, difference);
  }
  return worst;
}

/// Keeps the rows of every output.
class Collector final : public Sink {
 public:
  Collector(const Node& node, const StreamSpec& input) {
    for (const Output& output : node.outputs(input)) row_sizes_.push_back(output.spec.row_size());
    outputs.resize(row_sizes_.size());
  }

  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    outputs.at(output).insert(outputs[output].end(), rows, rows + n_rows * row_sizes_[output]);
  }

  std::vector<Floats> outputs;

 private:
  std::vector<std::size_t> row_sizes_;
};

/// Pushes `n_rows` rows from an array of exactly their size, gone afterwards: a stream that reads
/// beyond it or keeps its address is caught by the sanitizers.
inline void push_copy(Stream& stream, const float* rows, std::size_t n_rows, std::size_t row_size,
                      Sink& sink) {
  const auto copy = std::make_unique<float[]>(n_rows * row_size);
  if (n_rows > 0) std::memcpy(copy.get(), rows, n_rows * row_size * sizeof(float));
  stream.push(copy.get(), n_rows, sink);
}

/// Every output of `node` for `rows`, pushed in pieces of the given sizes and the rest at once.
inline std::vector<Floats> run_all(const Node& node, const StreamSpec& input, const Floats& rows,
                                   const std::vector<std::size_t>& pieces = {}) {
  Collector collected(node, input);
  const auto stream = node.open(input);
  const std::size_t row_size = input.row_size();
  const std::size_t n_rows = rows.size() / row_size;
  std::size_t done = 0;
  for (const std::size_t n : pieces) {
    push_copy(*stream, rows.data() + done * row_size, n, row_size, collected);
    done += n;
  }
  if (done < n_rows) push_copy(*stream, rows.data() + done * row_size, n_rows - done, row_size, collected);
  stream->flush(collected);
  return collected.outputs;
}

/// The same for a node with one output.
inline Floats run(const Node& node, const StreamSpec& input, const Floats& rows,
                  const std::vector<std::size_t>& pieces = {}) {
  return run_all(node, input, rows, pieces).front();
}

/// The message of the `E` that `f` throws; empty if it throws none.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

}  // namespace fastaudio::test
