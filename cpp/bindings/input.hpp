/// Arrays from Python as rows for a stream.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "bindings/bindings.hpp"
#include "bindings/growing_buffer.hpp"
#include "dsp/kernels.hpp"

namespace fastaudio::bindings {

/// Any object, so that errors are ours; signatures say what it should be.
class Samples : public py::object {
 public:
  PYBIND11_OBJECT(Samples, py::object, any)

 private:
  static bool any(PyObject*) { return true; }
};

}  // namespace fastaudio::bindings

namespace pybind11::detail {
template <>
struct handle_type_name<fastaudio::bindings::Samples> {
  static constexpr auto name =
      const_name("numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16]");
};
}  // namespace pybind11::detail

namespace fastaudio::bindings {

inline constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// The rows of a contiguous array of float32 or int16.
class InputRows {
 public:
  InputRows(const py::array& array, std::size_t row_size)
      : data_(array.data()), is_int_(array.dtype().kind() == 'i'), row_size_(row_size) {}

  /// Hands rows as floats to `push`, up to the first value that isn't finite; returns that value's index, or
  /// kNone. Rows go in one piece, or in blocks small enough to stay in the processor's caches.
  template <class Push>
  std::size_t feed(std::size_t first_row, std::size_t n_rows, bool in_blocks, GrowingBuffer& converted,
                   Push&& push) const {
    const std::size_t most = in_blocks ? std::max<std::size_t>(kBlock / row_size_, 1) : n_rows;
    std::size_t row = 0;
    do {
      const std::size_t n = std::min(most, n_rows - row);
      const std::size_t first = (first_row + row) * row_size_;
      const float* values = floats(first, n * row_size_, converted);
      const std::size_t bad = find_bad(values, n * row_size_);
      if (bad < n * row_size_) return first + bad;
      push(values, n);
      row += n;
      if (row < n_rows) check_interrupt();
    } while (row < n_rows);
    return kNone;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 17;

  const float* floats(std::size_t first, std::size_t n, GrowingBuffer& converted) const {
    if (!is_int_) return static_cast<const float*>(data_) + first;
    converted.reserve(n);
    in_pieces(n, [&](std::size_t at, std::size_t n_values) {
      const auto* from = static_cast<const std::int16_t*>(data_) + first + at;
      dsp::kernels().from_int16(from, n_values, converted.data() + at);
      return true;
    });
    return converted.data();
  }

  /// The index of the first value that isn't finite; n if there is none.
  std::size_t find_bad(const float* values, std::size_t n) const {
    std::size_t bad = n;
    if (is_int_) return bad;
    in_pieces(n, [&](std::size_t at, std::size_t n_values) {
      const std::size_t found = dsp::kernels().find_bad(values + at, n_values);
      if (found < n_values) bad = at + found;
      return found == n_values;
    });
    return bad;
  }

  /// Calls work(at, n_values) for each of some pieces of n values, while it returns true.
  template <class Work>
  static void in_pieces(std::size_t n, Work&& work) {
    constexpr std::size_t kPiece = std::size_t{1} << 24;
    for (std::size_t at = 0; at < n; at += kPiece) {
      if (at > 0) check_interrupt();
      if (!work(at, std::min(kPiece, n - at))) return;
    }
  }

  const void* data_;
  bool is_int_;
  std::size_t row_size_;
};

inline bool takes_samples(const StreamSpec& input) { return input.kind == StreamSpec::Kind::samples; }

/// Notices sound whose scale must be wrong, such as that of int16: most of it is far beyond full scale. A few
/// such samples may be a damaged file's. It looks at one sample of 17, which costs nothing.
class Loudness {
 public:
  void hear(const float* values, std::size_t n) {
    constexpr std::size_t kStep = 17;  // prime, so that no channel is left out
    for (std::size_t i = 0; i < n; i += kStep) {
      const float magnitude = std::abs(values[i]);
      if (magnitude > kLoudest) {
        ++n_beyond_;
      } else if (magnitude > 0) {
        ++n_within_;
      }
    }
  }
  /// Keeps the verdict so far, whatever is heard later.
  void keep() { kept_ = too_loud(); }
  bool too_loud() const { return kept_ || (n_beyond_ >= kEnough && n_beyond_ > n_within_); }

  static constexpr float kLoudest = 4;  ///< 12 dB above full scale

 private:
  static constexpr std::size_t kEnough = 32;
  bool kept_ = false;
  std::size_t n_beyond_ = 0;
  std::size_t n_within_ = 0;
};

/// "; use numpy.asarray(samples, dtype=\"float32\")" for a list: what makes samples of something that is no
/// array, or nothing.
std::string samples_remedy(const py::object& value);

/// What to warn of when the sound called `name` is too loud.
std::string scale_warning(const std::string& name);

/// What messages call the input: "samples" or "rows".
inline std::string subject_of(const StreamSpec& input) { return takes_samples(input) ? "samples" : "rows"; }

/// The array, made contiguous and aligned. Throws TypeError or ValueError, with what to do about it, unless
/// it holds rows of `input` as float32, or samples as int16. `has_channels` says that the node may be made
/// for more channels than `input` has.
py::array checked_rows(const py::object& rows, const StreamSpec& input, bool has_channels = false);

[[noreturn]] inline void throw_bad(const py::array& array, std::size_t index, const StreamSpec& input) {
  const auto values = py::array_t<float>::ensure(array);
  throw ValueError(subject_of(input) + ": expected finite values within +-1e12, got " +
                   std::to_string(values.data()[index]) + " at index " + std::to_string(index) +
                   "; clean the signal first");
}

}  // namespace fastaudio::bindings
