/// Where a stream's rows go, and how they become arrays.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/growing_buffer.hpp"

namespace fastaudio::bindings {

/// Gathers rows in one array per output.
class Collector final : public Sink {
 public:
  /// Takes memory for the rows of `span_s` seconds of signal and `more` rows; it grows if more come.
  /// `outputs` have to stay as long as this does.
  explicit Collector(const std::vector<Output>& outputs, double span_s = 0, std::size_t more = 0)
      : rows(outputs.size()), outputs_(outputs) {
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const double n_rows = std::min(span_s * outputs[o].spec.rate_hz, 1e9);
      rows[o].reserve((static_cast<std::size_t>(n_rows) + more) * row_size(o));
    }
  }
  void write(std::size_t output, const float* from, std::size_t n_rows) override {
    constexpr std::size_t kPiece = std::size_t{1} << 24;  // a node may pass on gigabytes at once
    for (std::size_t left = n_rows * row_size(output); left > 0;) {
      const std::size_t n = std::min(left, kPiece);
      rows[output].append(from, n);
      from += n;
      left -= n;
      if (left > 0) check_interrupt();
    }
  }
  float* extend(std::size_t output, std::size_t n_rows) override {
    return rows[output].extend(n_rows * row_size(output));
  }
  std::vector<GrowingBuffer> rows;

 private:
  std::size_t row_size(std::size_t output) const { return outputs_[output].spec.row_size(); }

  const std::vector<Output>& outputs_;
};

/// Writes the rows of one output to memory that the caller has; what doesn't fit goes to `overflow`.
class Placed final : public Sink {
 public:
  Placed(float* to, std::size_t room, std::size_t row_size) : to_(to), room_(room), row_size_(row_size) {}
  void write(std::size_t, const float* from, std::size_t n_rows) override {
    const std::size_t n = n_rows * row_size_;
    const std::size_t fits = overflow.size() > 0 ? 0 : std::min(n, room_ - n_placed);
    if (fits > 0) std::memcpy(to_ + n_placed, from, fits * sizeof(float));
    n_placed += fits;
    overflow.append(from + fits, n - fits);
  }
  float* extend(std::size_t, std::size_t n_rows) override {
    const std::size_t n = n_rows * row_size_;
    if (overflow.size() > 0 || n > room_ - n_placed) return nullptr;
    n_placed += n;
    return to_ + n_placed - n;
  }
  std::size_t n_placed = 0;
  GrowingBuffer overflow;

 private:
  float* to_;
  std::size_t room_;
  std::size_t row_size_;
};

/// The values as an array, which owns their memory; a few are copied, which takes less than passing it on.
inline py::array_t<float> to_array(GrowingBuffer&& values, const StreamSpec& spec) {
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(values.size() / spec.row_size())};
  for (const std::int64_t n : spec.shape) shape.push_back(static_cast<py::ssize_t>(n));
  constexpr std::size_t kFew = 1024;
  if (values.size() <= kFew) {
    py::array_t<float> copy(shape);
    if (values.size() > 0) std::memcpy(copy.mutable_data(), values.data(), values.size() * sizeof(float));
    return copy;
  }
  const py::capsule owner(values.data(), [](void* p) { std::free(p); });
  return py::array_t<float>(shape, values.release(), owner);
}

}  // namespace fastaudio::bindings
