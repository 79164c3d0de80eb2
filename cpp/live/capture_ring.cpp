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
      end_(first),
      floor_(first) {}

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
    const std::size_t at = offset_of(end);
    const std::size_t piece = std::min({n, most, capacity_ - at / channels_});
    end += static_cast<std::int64_t>(piece);
    claimed_.store(end, std::memory_order_relaxed);
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
  const std::int64_t end = end_.load(std::memory_order_relaxed) + n;
  floor_.store(end, std::memory_order_release);  // first: who sees the new end must not read what was skipped
  claimed_.store(end, std::memory_order_release);
  end_.store(end, std::memory_order_release);
}

std::size_t CaptureRing::read(std::int64_t position, std::size_t n, float* to) const {
  const std::int64_t from = position;
  for (std::size_t left = n; left > 0;) {
    const std::size_t at = offset_of(position);
    const std::size_t piece = std::min(left, capacity_ - at / channels_);
    for (std::size_t i = 0; i < piece * channels_; ++i) {
      *to++ = values_[at + i].load(std::memory_order_acquire);
    }
    position += static_cast<std::int64_t>(piece);
    left -= piece;
  }
  const std::int64_t lost = begin() - from;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(lost, 0, static_cast<std::int64_t>(n)));
}

}  // namespace fastaudio::live
