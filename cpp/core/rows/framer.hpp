/// Cuts a stream of samples into overlapping frames, for every node that reads frames.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/budget.hpp"
#include "core/node.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/ring_buffer.hpp"

namespace fastaudio {

/// One thread may use it. Frame t starts at sample t * hop - pad_left: `pad_left` samples are added before
/// the signal and `pad_right` after it.
///
/// `emit(first, n)` receives up to `batch` frames: frame i lies at first + i * hop. Frames inside the
/// caller's array are read there; only frames that cross two pushes are copied to the ring.
class Framer {
 public:
  /// What is added: zeros; the mirrored signal, first and last sample not repeated; the same with these
  /// repeated; or the first and the last sample alone.
  enum class Edge { zeros, reflect, repeat, hold };

  struct Options {
    int frame_length;
    int hop;
    int pad_left;  ///< at most frame_length; if negative, that many samples are skipped
    int pad_right;
    Edge edge;
    int batch;
  };

  /// Locality of these frames. Frame 0 of a mirrored signal may wait for one sample more than it holds.
  static Locality locality(const Options& o) {
    const int head = o.edge == Edge::reflect && o.pad_left > 0 ? o.pad_left + 1 : 0;
    return {.n_in = o.hop, .before = o.pad_left, .after = std::max(o.frame_length - o.pad_left, head)};
  }

  explicit Framer(const Options& options)
      : length_(options.frame_length),
        hop_(options.hop),
        pad_left_(std::max(options.pad_left, 0)),
        pad_right_(options.pad_right),
        apart_(options.edge == Edge::reflect ? 1 : 0),
        holds_(options.edge == Edge::hold),
        mirrored_(options.edge != Edge::zeros && pad_left_ + pad_right_ > 0),
        batch_(options.batch),
        first_(std::max(-options.pad_left, 0)),
        ring_(3 * static_cast<std::size_t>(length_), 2 * static_cast<std::size_t>(length_)) {
    if (mirrored_) {
      head_.reserve(head_size());
    } else {
      const std::vector<float> zeros(static_cast<std::size_t>(pad_left_), 0.0f);
      ring_.write(zeros.data(), zeros.size());
    }
  }

  template <class Emit>
  void push(const float* x, std::size_t n, Emit&& emit) {
    n_samples_ += static_cast<std::int64_t>(n);
    if (mirrored_ && !started_) {
      const std::size_t taken = std::min(n, head_size() - head_.size());
      head_.insert(head_.end(), x, x + taken);
      if (head_.size() < head_size()) return;
      started_ = true;
      for (int i = pad_left_ - 1; i >= 0; --i) ring_.write(&head_[static_cast<std::size_t>(inward(i))], 1);
      feed(head_.data(), head_.size(), emit);
      x += taken;
      n -= taken;
    }
    feed(x, n, emit);
  }

  template <class Emit>
  void flush(Emit&& emit) {
    if (n_samples_ == 0) return;
    std::vector<float> end;
    if (mirrored_ && !started_) {
      for (std::int64_t i = -pad_left_; i < n_samples_ + pad_right_; ++i) end.push_back(head_[mirror(i)]);
    } else if (mirrored_) {
      for (int i = 0; i < pad_right_; ++i) end.push_back(*ring_.at(ring_.end() - 1 - inward(i)));
    } else {
      end.assign(static_cast<std::size_t>(pad_right_), 0.0f);
    }
    // A clip shorter than a frame still gives one frame, filled up with silence.
    const std::int64_t missing = first_ + length_ - ring_.end() - static_cast<std::int64_t>(end.size());
    if (missing > 0) end.resize(end.size() + static_cast<std::size_t>(missing), 0.0f);
    feed(end.data(), end.size(), emit);
  }

 private:
  /// Emits every frame that ends at `end` or before; the next frame lies at `at_next`.
  template <class Emit>
  void emit_from(const float* at_next, std::int64_t end, Emit&& emit) {
    while (next_ + length_ <= end) {
      const auto ready = (end - next_ - length_) / hop_ + 1;
      const int count = static_cast<int>(std::min<std::int64_t>(ready, batch_));
      emit(at_next, count);
      pace_.did(static_cast<std::size_t>(count) * static_cast<std::size_t>(length_));
      at_next += std::int64_t{count} * hop_;
      next_ += std::int64_t{count} * hop_;
    }
  }

  template <class Emit>
  void feed(const float* x, std::size_t n, Emit&& emit) {
    if (n == 0) return;
    const std::int64_t start = ring_.end();
    const std::int64_t total = start + static_cast<std::int64_t>(n);
    // Frames that began in earlier pushes end in the first `length_` samples of this push.
    const std::size_t head = std::min(n, static_cast<std::size_t>(length_));
    ring_.write(x, head);
    if (next_ < ring_.end()) {
      // Stops one sample short of the frame that begins with x[0]: that frame is read from x.
      const std::int64_t end = n > head ? ring_.end() - 1 : total;
      emit_from(ring_.at(next_), end, emit);
    }
    if (n > head) {
      if (next_ < total) emit_from(x + (next_ - start), total, emit);
      const std::int64_t kept = std::min(next_, total - history());
      ring_.restart_at(std::min(kept, total));
      ring_.write(x + (ring_.end() - start), static_cast<std::size_t>(total - ring_.end()));
    } else {
      ring_.discard_before(std::min(next_, total - history()));
    }
  }

  /// The sample i + 1 places beyond the edge copies the one this many places inside it.
  int inward(int i) const { return holds_ ? 0 : i + apart_; }

  /// Samples kept for the mirrored end, besides those of unfinished frames.
  std::int64_t history() const { return mirrored_ ? std::int64_t{inward(pad_right_ - 1)} + 1 : 0; }

  /// Samples needed before the first frame: enough to mirror them to the left, and, should the signal end
  /// there, to the right.
  std::size_t head_size() const {
    return static_cast<std::size_t>(inward(std::max({pad_left_, pad_right_, 1}) - 1) + 1);
  }

  /// Index of the sample at `i` when a short signal is mirrored again and again.
  std::size_t mirror(std::int64_t i) const {
    if (n_samples_ == 1) return 0;
    const std::int64_t period = 2 * (n_samples_ - apart_);
    const std::int64_t at = ((i % period) + period) % period;
    return static_cast<std::size_t>(std::min(at, period - at - (1 - apart_)));
  }

  int length_;
  int hop_;
  int pad_left_;
  int pad_right_;
  int apart_;  ///< 1 if the sample at the edge isn't repeated
  bool holds_;
  bool mirrored_;  ///< whether samples of the signal are added
  int batch_;
  std::int64_t first_;  ///< start of the first frame, counting the padding
  RingBuffer ring_;
  Pace pace_;
  Buffer<float> head_;  ///< the first samples, until they can be mirrored
  bool started_ = false;
  std::int64_t next_ = first_;  ///< start of the next frame
  std::int64_t n_samples_ = 0;  ///< without padding
};

}  // namespace fastaudio
