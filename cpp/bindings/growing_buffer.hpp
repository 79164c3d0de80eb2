/// Memory for values whose number isn't known beforehand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "core/platform.hpp"

namespace fastaudio::bindings {

/// A growing array of floats. Unlike a vector it doesn't touch its memory before something is written there.
class GrowingBuffer {
 public:
  void reserve(std::size_t n) {
    if (n <= capacity_) return;
    void* moved = std::realloc(values_.get(), n * sizeof(float));
    if (moved == nullptr) throw std::bad_alloc();
    platform::prefer_large_pages(moved, n * sizeof(float));
    static_cast<void>(values_.release());
    values_.reset(static_cast<float*>(moved));
    capacity_ = n;
  }

  void append(const float* from, std::size_t n) {
    if (size_ + n > capacity_) reserve(std::max(size_ + n, 2 * capacity_));
    if (n > 0) std::memcpy(values_.get() + size_, from, n * sizeof(float));
    size_ += n;
  }

  /// Adds n values for the caller to fill; returns null, and adds nothing, if that takes more memory.
  float* extend(std::size_t n) {
    if (n > capacity_ - size_) return nullptr;
    size_ += n;
    return values_.get() + size_ - n;
  }

  /// Says that the first n values were written through `data`.
  void set_size(std::size_t n) { size_ = n; }

  float* data() { return values_.get(); }
  const float* data() const { return values_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  float* release() { return values_.release(); }

 private:
  struct Free {
    void operator()(float* values) const { std::free(values); }
  };

  std::unique_ptr<float[], Free> values_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace fastaudio::bindings
