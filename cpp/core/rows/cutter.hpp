/// Cuts a stream of rows into pieces of one length; cutting is written here and nowhere else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "core/budget.hpp"
#include "core/node.hpp"
#include "core/rows/pace.hpp"

namespace fastaudio {

/// Piece k holds rows k * hop - context to k * hop + length - 1. One thread at a time; takes its memory
/// when it is made.
class Cutter {
 public:
  struct Options {
    int length;
    int hop;
    int context = 0;       ///< earlier rows at the front of a piece; pad_value before the first
    std::string last;      ///< "drop", "pad" or "repeat": what becomes of the rows left at the end
    double pad_value = 0;  ///< of rows that are added

    std::size_t rows() const { return static_cast<std::size_t>(context) + static_cast<std::size_t>(length); }
  };

  /// The spec of the pieces, each one row.
  static StreamSpec spec(const Options& o, const StreamSpec& input) {
    StreamSpec spec = input;
    spec.shape.insert(spec.shape.begin(), static_cast<std::int64_t>(o.rows()));
    if (input.rate_hz > 0) {
      spec.rate_hz = input.rate_hz / o.hop;
      spec.span_s = input.span_s + (o.length - 1) / input.rate_hz;
      spec.latency_s += (o.length - 1) / input.rate_hz;
      spec.overlaps_s.insert(spec.overlaps_s.begin(), input.overlap_s());
    }
    return spec;
  }

  static Locality locality(const Options& o) {
    return {.n_in = o.hop, .before = o.context, .after = o.length};
  }

  Cutter(const Options& options, std::size_t row_size)
      : last_(options.last),
        pad_value_(static_cast<float>(options.pad_value)),
        context_(static_cast<std::size_t>(options.context)),
        length_(options.rows()),
        hop_(static_cast<std::size_t>(options.hop)),
        row_size_(row_size),
        piece_(length_ * row_size, pad_value_),
        filled_(context_) {}

  /// Calls emit(const float* piece) for each piece that the rows complete.
  template <class Emit>
  void push(const float* rows, std::size_t n_rows, Emit&& emit) {
    while (n_rows > 0) {
      if (skip_ > 0) {  // rows between pieces, when hop is longer than a piece
        const std::size_t n = std::min(n_rows, skip_);
        skip_ -= n;
        rows += n * row_size_;
        n_rows -= n;
        continue;
      }
      const std::size_t n = std::min(n_rows, length_ - filled_);
      std::memcpy(&piece_[filled_ * row_size_], rows, n * row_size_ * sizeof(float));
      filled_ += n;
      rows += n * row_size_;
      n_rows -= n;
      fresh_ = filled_ > context_;
      if (filled_ == length_) pass_on(emit);
    }
  }

  /// Rows too few for a first piece always make one: padded if `last` is "pad", else repeated.
  template <class Emit>
  void flush(Emit&& emit) {
    if (!fresh_ || (last_ == "drop" && emitted_)) return;
    if (last_ == "pad") {
      std::fill(piece_.begin() + static_cast<std::ptrdiff_t>(filled_ * row_size_), piece_.end(), pad_value_);
    } else {
      const std::size_t have = (filled_ - context_) * row_size_;
      for (std::size_t i = filled_ * row_size_; i < piece_.size(); ++i) piece_[i] = piece_[i - have];
    }
    pass_on(emit);
  }

 private:
  template <class Emit>
  void pass_on(Emit&& emit) {
    emit(static_cast<const float*>(piece_.data()));
    pace_.did(piece_.size());
    emitted_ = true;
    fresh_ = false;
    const std::size_t kept = hop_ < length_ ? length_ - hop_ : 0;
    skip_ = hop_ > length_ ? hop_ - length_ : 0;
    std::memmove(piece_.data(), &piece_[(length_ - kept) * row_size_], kept * row_size_ * sizeof(float));
    filled_ = kept;
  }

  std::string last_;
  float pad_value_;
  std::size_t context_;
  std::size_t length_;  ///< of a piece with its context
  std::size_t hop_;
  std::size_t row_size_;
  Buffer<float> piece_;
  std::size_t filled_;
  std::size_t skip_ = 0;
  Pace pace_;
  bool emitted_ = false;
  bool fresh_ = false;  ///< whether a row beyond the context came since the last piece
};

}  // namespace fastaudio
