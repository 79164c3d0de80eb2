/// Arrays from Python as rows for a stream.
#pragma once

#include <algorithm>
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

inline std::string describe(const py::array& array) {
  std::string shape;
  for (py::ssize_t i = 0; i < array.ndim(); ++i) shape += (i ? ", " : "") + std::to_string(array.shape(i));
  if (array.ndim() == 1) shape += ",";
  return py::cast<std::string>(py::str(array.dtype())) + " (" + shape + ")";
}

/// "[n_samples]", "[n_rows, 96]".
inline std::string expected_shape(const StreamSpec& spec) {
  if (spec.shape.empty()) return "[n_samples]";
  std::string text = "[n_rows";
  for (const std::int64_t n : spec.shape) text += ", " + std::to_string(n);
  return text + "]";
}

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
      const std::size_t bad = is_int_ ? n * row_size_ : dsp::kernels().find_bad(values, n * row_size_);
      if (bad < n * row_size_) return first + bad;
      push(values, n);
      row += n;
    } while (row < n_rows);
    return kNone;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 17;

  const float* floats(std::size_t first, std::size_t n, GrowingBuffer& converted) const {
    if (!is_int_) return static_cast<const float*>(data_) + first;
    converted.reserve(n);
    dsp::kernels().from_int16(static_cast<const std::int16_t*>(data_) + first, n, converted.data());
    return converted.data();
  }

  const void* data_;
  bool is_int_;
  std::size_t row_size_;
};

inline bool takes_samples(const StreamSpec& input) { return input.kind == StreamSpec::Kind::samples; }

/// What messages call the input: "samples" or "rows".
inline std::string subject_of(const StreamSpec& input) { return takes_samples(input) ? "samples" : "rows"; }

/// The array, made contiguous. Throws TypeError or ValueError unless it holds rows of `input` as float32, or
/// samples as int16.
inline py::array checked_rows(const py::object& rows, const StreamSpec& input) {
  const std::string subject = subject_of(input);
  if (!py::isinstance<py::array>(rows)) {
    const auto type = py::cast<std::string>(py::type::of(rows).attr("__name__"));
    throw TypeError("samples: expected a numpy array of float32 or int16, got " + type +
                    "; use numpy.asarray(samples, dtype=\"float32\")");
  }
  auto array = rows.cast<py::array>();
  const bool is_float = array.dtype().equal(py::dtype::of<float>());
  const bool is_int = array.dtype().equal(py::dtype::of<std::int16_t>());
  const bool takes_int = takes_samples(input);
  if (!is_float && !(takes_int && is_int)) {
    throw TypeError(subject + ": expected float32" + (takes_int ? " or int16 " : " ") +
                    expected_shape(input) + ", got " + describe(array) + "; use " + subject +
                    ".astype(\"float32\")");
  }
  bool fits = array.ndim() == static_cast<py::ssize_t>(input.shape.size()) + 1;
  for (std::size_t i = 0; fits && i < input.shape.size(); ++i) {
    fits = array.shape(static_cast<py::ssize_t>(i) + 1) == input.shape[i];
  }
  if (!fits) {
    const bool channels = input.shape.empty() && array.ndim() == 2;
    throw ValueError(subject + ": expected " + expected_shape(input) + ", got " + describe(array) +
                     (channels ? "; choose one channel, or average them" : ""));
  }
  auto contiguous = py::array::ensure(array, py::array::c_style);
  if (!contiguous) throw std::bad_alloc();
  return contiguous;
}

[[noreturn]] inline void throw_bad(const py::array& array, std::size_t index, const StreamSpec& input) {
  const auto values = py::array_t<float>::ensure(array);
  throw ValueError(subject_of(input) + ": expected finite values within +-1e12, got " +
                   std::to_string(values.data()[index]) + " at index " + std::to_string(index) +
                   "; clean the signal first");
}

}  // namespace fastaudio::bindings
