/// Checks of a node's input and options that say the same thing in the same words everywhere.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/options.hpp"

namespace fastaudio {

/// Throws unless rows are samples, at `rate_hz` unless that is 0.
inline void require_samples(const char* node, const StreamSpec& input, double rate_hz = 0) {
  const bool fits = input.shape.empty() && (rate_hz == 0 || same_rate(input.rate_hz, rate_hz));
  if (fits) return;
  StreamSpec expected = StreamSpec::samples(rate_hz);
  const std::string want = rate_hz == 0 ? "samples" : "samples " + to_string(expected);
  const bool samples = input.shape.empty();
  throw ValueError(std::string(node) + ": expected " + want + ", got " + (samples ? "samples " : "rows ") +
                   to_string(input) + (samples ? "; resample first" : ""));
}

/// Throws unless rows have `rank` axes.
inline void require_rank(const char* node, const StreamSpec& input, std::size_t rank, const char* what) {
  if (input.shape.size() == rank) return;
  throw ValueError(std::string(node) + ": expected " + what + ", got rows " + to_string(input));
}

/// Throws unless rows are [width].
inline void require_width(const char* node, const StreamSpec& input, std::size_t width, const char* why) {
  if (input.shape == std::vector<std::int64_t>{static_cast<std::int64_t>(width)}) return;
  throw ValueError(std::string(node) + ": expected rows of " + std::to_string(width) + ", " + why +
                   ", got rows " + to_string(input));
}

/// Throws unless there are labels and all differ.
inline void require_labels(const char* node, const std::vector<std::string>& labels) {
  const std::string subject = std::string(node) + ": expected ";
  std::set<std::string> seen;
  for (const std::string& label : labels) {
    if (label.empty()) throw ValueError(subject + "a name for each label, got ''");
    if (!seen.insert(label).second) {
      throw ValueError(subject + "different labels, got " + format(label) + " twice");
    }
  }
  if (labels.empty()) throw ValueError(subject + "at least one label, got none");
}

/// Throws unless a list of vectors, one after another, has a multiple of `n` numbers and fits into a card.
inline void require_vectors(const char* node, const char* option, const std::vector<double>& numbers,
                            std::size_t n, const char* counted) {
  constexpr std::size_t kMost = std::size_t{1} << 17;
  const std::string got = std::to_string(numbers.size()) + " items";
  if (numbers.size() > kMost) {
    detail::throw_outside(node, option, "of at most 131072 items", got + "; take an OnnxModel");
  }
  if (!numbers.empty() && numbers.size() % n == 0) return;
  detail::throw_outside(node, option,
                        "of a multiple of " + std::to_string(n) + " items, the number of " + counted, got);
}

/// Throws unless the `n_rows` rows that the option `what` asks for have at most 2**28 values.
inline void require_memory(const char* node, std::size_t n_rows, const StreamSpec& input, const char* what) {
  constexpr std::size_t kLargest = std::size_t{1} << 28;
  if (n_rows <= kLargest / input.row_size()) return;
  throw ValueError(std::string(node) + ": expected at most 2**28 values at a time, got " +
                   std::to_string(n_rows) + " rows " + to_string(input) + "; choose a smaller " + what);
}

}  // namespace fastaudio
