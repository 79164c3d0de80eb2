/// What nodes share that make one row of all rows of a clip, or of each window of a length.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/rows/row_block.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

/// Throws if a step between windows is given without their length.
inline void check_windows(const char* node, std::optional<int> window, std::optional<int> hop) {
  if (window || !hop) return;
  throw ValueError(std::string(node) +
                   ": expected a window with hop, got None; set window, or leave hop out");
}

/// `spec`, which came from `input`, at the rate and time of clips or windows.
inline StreamSpec per_window(const char* node, const StreamSpec& input, StreamSpec spec,
                             std::optional<int> window, std::optional<int> hop) {
  if (!window) {
    spec.rate_hz = 0;
    spec.span_s = 0;
    return spec;
  }
  require_memory(node, static_cast<std::size_t>(*window), input, "window");
  if (input.rate_hz > 0) {
    spec.rate_hz = input.rate_hz / hop.value_or(*window);
    spec.span_s += (*window - 1) / input.rate_hz;
    spec.latency_s += (*window - 1) / input.rate_hz;
  }
  return spec;
}

inline std::optional<Locality> window_locality(std::optional<int> window, std::optional<int> hop) {
  if (!window) return std::nullopt;
  return Locality{.n_in = hop.value_or(*window), .after = *window};
}

/// Windows begin at row 0 and every `hop` rows. Each is computed anew: a running sum would remember what has
/// left it. A clip shorter than a window yields one, of the rows that there are.
///
/// `Pool` has reset(), add(const float* row) and write(float* out).
template <class Pool>
class WindowedStream final : public Stream {
 public:
  WindowedStream(Pool pool, std::optional<int> window, std::optional<int> hop, std::size_t row_size,
                 std::size_t out_size)
      : pool_(std::move(pool)),
        window_(window.value_or(0)),
        hop_(hop.value_or(window.value_or(0))),
        row_size_(row_size),
        ring_(static_cast<std::size_t>(window_) * row_size),
        block_(out_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      ++n_;
      if (window_ == 0) {
        pool_.add(rows);
        continue;
      }
      std::copy_n(rows, row_size_, &ring_[place(n_ - 1)]);
      if (n_ >= window_ && (n_ - window_) % hop_ == 0) emit(n_ - window_, sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (n_ > 0 && (window_ == 0 || n_ < window_)) emit(0, sink);
    block_.write(sink);
  }

  std::size_t place(std::int64_t row) const { return static_cast<std::size_t>(row % window_) * row_size_; }

  void emit(std::int64_t first, Sink& sink) {
    if (window_ > 0) {
      pool_.reset();
      for (std::int64_t t = first; t < n_; ++t) pool_.add(&ring_[place(t)]);
    }
    pool_.write(block_.next(sink));
  }

  Pool pool_;
  std::int64_t window_;  ///< 0 for the clip
  std::int64_t hop_;
  std::size_t row_size_;
  std::vector<float> ring_;  ///< rows of the window
  RowBlock block_;
  std::int64_t n_ = 0;
};

}  // namespace fastaudio
