#include "live/capture_ring.hpp"

#include <algorithm>
#include <cmath>

#include "dsp/kernels.hpp"

namespace fastaudio::live {

namespace {

float to_float(float value) { return value; }
float to_float(std::int16_t value) { return static_cast<float>(value) * dsp::kInt16Scale; }

}  // namespace

CaptureRing::CaptureRing(std::size_t capacity, std::size_t channels, std::int64_t first)
    : capacity_(capacity),
      channels_(channels),
      first_(first),
      values_(capacity * channels),
      claimed_(first),
      end_(first) {
  marks_[0].begin.store(first, std::memory_order_relaxed);
}

std::size_t CaptureRing::write(const float* samples, std::size_t n) { return write_values(samples, n); }

std::size_t CaptureRing::write(const std::int16_t* samples, std::size_t n) {
  return write_values(samples, n);
}

template <class Value>
std::size_t CaptureRing::write_values(const Value* samples, std::size_t n) {
  std::size_t n_bad = 0;
  float peak = 0;
  std::int64_t end = end_.load(std::memory_order_relaxed);
  // Writes in pieces, so that a long block doesn't take the whole ring away from slow readers at once.
  const std::size_t most = std::max<std::size_t>(capacity_ / 8, 1);
  while (n > 0) {
    const std::size_t at = offset_of(end - skipped_);
    const std::size_t piece = std::min({n, most, capacity_ - at / channels_});
    end += static_cast<std::int64_t>(piece);
    claimed_.store(end - skipped_, std::memory_order_relaxed);
    for (std::size_t i = 0; i < piece * channels_; ++i) {
      float value = to_float(samples[i]);
      if (!(std::abs(value) <= dsp::kLargestSample)) {  // NaN too
        value = 0;
        ++n_bad;
      }
      peak = std::max(peak, std::abs(value));
      values_[at + i].store(value, std::memory_order_release);
    }
    end_.store(end, std::memory_order_release);
    samples += piece * channels_;
    n -= piece;
  }
  if (peak > peak_.load(std::memory_order_relaxed)) peak_.store(peak, std::memory_order_relaxed);
  return n_bad;
}

void CaptureRing::skip(std::int64_t n) {
  const std::int64_t end = end_.load(std::memory_order_relaxed);
  const std::uint64_t n_pieces = n_pieces_.load(std::memory_order_relaxed);
  skipped_ += n;
  // First: who sees the new end must not read what was skipped.
  marks_[(n_pieces - 1) % kPieces].end.store(end, std::memory_order_release);
  Mark& next = marks_[n_pieces % kPieces];
  next.begin.store(end + n, std::memory_order_release);
  next.end.store(kOpen, std::memory_order_release);
  next.skipped.store(skipped_, std::memory_order_release);
  end_.store(end + n, std::memory_order_release);
  n_pieces_.store(n_pieces + 1, std::memory_order_release);
}

CaptureRing::Piece CaptureRing::piece_at(std::int64_t position, std::int64_t oldest_place) const {
  for (;;) {  // until no skip came meanwhile
    const std::uint64_t n = n_pieces_.load(std::memory_order_acquire);
    const std::int64_t end = this->end();  // before the marks, which a skip changes first
    Piece piece{};
    // The oldest mark may be overwritten meanwhile.
    for (std::uint64_t i = n < kPieces ? 0 : n - kPieces + 1; i < n; ++i) {
      const Mark& mark = marks_[i % kPieces];
      piece.skipped = mark.skipped.load(std::memory_order_acquire);
      const std::int64_t mark_end = mark.end.load(std::memory_order_acquire);
      const std::int64_t oldest =
          std::max(mark.begin.load(std::memory_order_acquire), oldest_place + piece.skipped);
      piece.begin = std::max(position, oldest);
      piece.end = std::max(piece.begin, std::min(mark_end, end));
      if (piece.begin < mark_end) break;
    }
    if (n_pieces_.load(std::memory_order_acquire) == n) return piece;
  }
}

CaptureRing::Piece CaptureRing::next(std::int64_t position) const {
  const auto capacity = static_cast<std::int64_t>(capacity_);
  Piece piece = piece_at(position, claimed_.load(std::memory_order_acquire) - capacity);
  piece.begin = std::max(piece.begin, piece.end - capacity);  // the writer may have gone on in between
  return piece;
}

std::size_t CaptureRing::read(std::int64_t position, std::size_t n, float* to) const {
  const Piece piece = piece_at(position, std::numeric_limits<std::int64_t>::min() / 2);
  if (piece.begin > position) return n;
  const std::int64_t from = position - piece.skipped;
  std::int64_t place = from;
  for (std::size_t left = n; left > 0;) {
    const std::size_t at = offset_of(place);
    const std::size_t n_here = std::min(left, capacity_ - at / channels_);
    for (std::size_t i = 0; i < n_here * channels_; ++i) {
      *to++ = values_[at + i].load(std::memory_order_acquire);
    }
    place += static_cast<std::int64_t>(n_here);
    left -= n_here;
  }
  const std::int64_t lost =
      claimed_.load(std::memory_order_acquire) - static_cast<std::int64_t>(capacity_) - from;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(lost, 0, static_cast<std::int64_t>(n)));
}

}  // namespace fastaudio::live
