/// Checks of a node's input, worded alike everywhere, and what comes out of a framing one.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/options.hpp"

namespace fastaudio {

/// Throws unless rows are samples, at `rate_hz` if that isn't 0.
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

/// Throws unless there are labels, all different.
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

/// Throws unless a list of vectors, one after another, has a multiple of `n` numbers, few enough for a card.
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

/// One number a frame of samples, as RMS gives.
inline std::vector<Output> framed(const char* node, const StreamSpec& input, int sample_rate,
                                  const Locality& frames, const char* unit) {
  require_samples(node, input, sample_rate);
  StreamSpec spec;
  spec.rate_hz = sample_rate / static_cast<double>(frames.n_in);
  spec.shape = {1};
  spec.unit = unit;
  spec.span_s = 1 / spec.rate_hz;
  spec.latency_s = input.latency_s + static_cast<double>(frames.after - 1) / sample_rate;
  return {{"", spec}};
}

/// Throws unless `n_rows` rows, as many as the option `what` asks for, fit into 2**28 values.
inline void require_memory(const char* node, std::size_t n_rows, const StreamSpec& input, const char* what) {
  constexpr std::size_t kLargest = std::size_t{1} << 28;
  if (n_rows <= kLargest / input.row_size()) return;
  throw ValueError(std::string(node) + ": expected at most 2**28 values at a time, got " +
                   std::to_string(n_rows) + " rows " + to_string(input) + "; choose a smaller " + what);
}

/// Throws unless rows are a spectrum's in `unit`, "magnitude" or "power"; a unit of the caller's own passes.
inline void require_spectrum(const char* node, const StreamSpec& input, const std::string& unit) {
  const std::string subject = std::string(node) + ": expected ";
  const std::string remedy = std::string("Spectrogram(power=") + (unit == "power" ? "2" : "1") + ")";
  if (input.shape.size() != 1) {
    throw ValueError(subject + "a spectrum's rows [n_bins], got " +
                     (input.shape.empty() ? "samples " : "rows ") + to_string(input) + "; compose with " +
                     remedy);
  }
  const bool known =
      contains(Choices{"magnitude power ln log10 dB"}, input.unit) || input.unit.starts_with("magnitude ** ");
  if (known && input.unit != unit) {
    throw ValueError(subject + unit + ", got " + input.unit + "; compose with " + remedy);
  }
}

/// Throws unless the spec says which frequency each value belongs to.
inline void require_frequencies(const char* node, const StreamSpec& input) {
  if (input.bin_hz > 0) return;
  throw ValueError(std::string(node) + ": expected rows of a spectrum with its bin_hz, got rows " +
                   to_string(input) + " without; compose with Spectrogram, or open with " +
                   "StreamSpec(bin_hz=...)");
}

}  // namespace fastaudio
