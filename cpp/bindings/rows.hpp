/// Where a stream's rows go: memory that numpy then owns.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "core/node.hpp"
#include "core/platform.hpp"

namespace fastaudio::bindings {

/// A growing array that, unlike a vector, leaves its memory as it is until something is written there.
class Floats {
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

  /// Room for n more values, counted as there; null if that takes more memory.
  float* place(std::size_t n) {
    if (n > capacity_ - size_) return nullptr;
    size_ += n;
    return values_.get() + size_ - n;
  }

  /// The first n values are there, written through `data`.
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

/// Gathers rows, one array an output.
class Collector final : public Sink {
 public:
  /// Takes memory at once for the rows of `span_s` of signal and a few more; others let it grow.
  explicit Collector(const std::vector<Output>& outputs, double span_s = 0, std::size_t more = 0)
      : rows(outputs.size()) {
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      row_sizes_.push_back(outputs[o].spec.row_size());
      const double n_rows = std::min(span_s * outputs[o].spec.rate_hz, 1e9);
      rows[o].reserve((static_cast<std::size_t>(n_rows) + more) * row_sizes_[o]);
    }
  }
  void write(std::size_t output, const float* from, std::size_t n_rows) override {
    rows[output].append(from, n_rows * row_sizes_[output]);
  }
  float* place(std::size_t output, std::size_t n_rows) override {
    return rows[output].place(n_rows * row_sizes_[output]);
  }
  std::vector<Floats> rows;

 private:
  std::vector<std::size_t> row_sizes_;
};

/// Writes the rows of one output to where they belong; what finds no room there, apart.
class Placed final : public Sink {
 public:
  Placed(float* to, std::size_t room, std::size_t row_size) : to_(to), room_(room), row_size_(row_size) {}
  void write(std::size_t, const float* from, std::size_t n_rows) override {
    const std::size_t n = n_rows * row_size_;
    const std::size_t fits = beyond.size() > 0 ? 0 : std::min(n, room_ - n_placed);
    if (fits > 0) std::memcpy(to_ + n_placed, from, fits * sizeof(float));
    n_placed += fits;
    beyond.append(from + fits, n - fits);
  }
  float* place(std::size_t, std::size_t n_rows) override {
    const std::size_t n = n_rows * row_size_;
    if (beyond.size() > 0 || n > room_ - n_placed) return nullptr;
    n_placed += n;
    return to_ + n_placed - n;
  }
  std::size_t n_placed = 0;
  Floats beyond;

 private:
  float* to_;
  std::size_t room_;
  std::size_t row_size_;
};

}  // namespace fastaudio::bindings
