#include "inference/onnx_constant.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/options.hpp"
#include "inference/onnx_edge.hpp"
#include "inference/onnx_names.hpp"

namespace fastaudio::onnx {

namespace {

std::string text_of(const Number& number) {
  return std::visit(
      [](const auto value) {
        if constexpr (std::is_same_v<decltype(value), const std::uint64_t>)
          return std::to_string(value);
        else
          return format(value);
      },
      number);
}

void write_axes(std::string& text, const Constant& constant, std::size_t axis, std::size_t& at) {
  if (axis == constant.shape.size()) {
    text += text_of(constant.values[at++]);
    return;
  }
  text += "[";
  for (std::int64_t i = 0; i < constant.shape[axis]; ++i) {
    if (i > 0) text += ", ";
    write_axes(text, constant, axis + 1, at);
  }
  text += "]";
}

/// Whether the number became a T without another value; a float may be rounded.
template <class T>
bool convert(const Number& number, T& out) {
  return std::visit(
      [&out](const auto value) {
        using From = std::decay_t<decltype(value)>;
        if constexpr (std::is_floating_point_v<T>) {
          out = static_cast<T>(value);
          return std::isfinite(static_cast<double>(value)) && std::isfinite(out);
        } else if constexpr (std::is_same_v<From, double>) {
          // Both bounds are exact in float64: 2**63 isn't an int64, but what is below it is.
          const double above = std::ldexp(1.0, std::numeric_limits<T>::digits);
          const double least = std::is_signed_v<T> ? -above : 0.0;
          if (!(value >= least && value < above) || value != std::floor(value)) return false;
          out = static_cast<T>(value);
          return true;
        } else if constexpr (std::is_same_v<From, bool>) {
          out = value ? 1 : 0;
          return true;
        } else {
          out = static_cast<T>(value);
          return std::in_range<T>(value);
        }
      },
      number);
}

template <class T>
bool write(const Number& number, std::byte* to) {
  T value{};
  if (!convert(number, value)) return false;
  std::memcpy(to, &value, sizeof value);
  return true;
}

bool write(const Number& number, int type, std::byte* to) {
  switch (type) {
    case kFloat:
      return write<float>(number, to);
    case kDouble:
      return write<double>(number, to);
    case kFloat16: {
      float value = 0;
      if (!convert(number, value) || !fits_float16(value)) return false;
      const std::uint16_t half = to_float16(value);
      std::memcpy(to, &half, sizeof half);
      return true;
    }
    case kBool: {
      std::uint8_t value = 0;
      if (!convert(number, value) || value > 1) return false;
      std::memcpy(to, &value, 1);
      return true;
    }
    case kInt8:
      return write<std::int8_t>(number, to);
    case kUint8:
      return write<std::uint8_t>(number, to);
    case kInt16:
      return write<std::int16_t>(number, to);
    case kUint16:
      return write<std::uint16_t>(number, to);
    case kInt32:
      return write<std::int32_t>(number, to);
    case kUint32:
      return write<std::uint32_t>(number, to);
    case kInt64:
      return write<std::int64_t>(number, to);
    default:
      return write<std::uint64_t>(number, to);
  }
}

template <class T>
std::string whole_numbers() {
  return "a whole number from " + std::to_string(std::numeric_limits<T>::lowest()) + " to " +
         std::to_string(std::numeric_limits<T>::max());
}

/// What a type takes, to be given instead of what it doesn't.
std::string taken_by(int type) {
  switch (type) {
    case kFloat:
      return "a finite number up to 3.4e38";
    case kDouble:
      return "a finite number";
    case kFloat16:
      return "a finite number up to 65504";
    case kBool:
      return "True or False";
    case kInt8:
      return whole_numbers<std::int8_t>();
    case kUint8:
      return whole_numbers<std::uint8_t>();
    case kInt16:
      return whole_numbers<std::int16_t>();
    case kUint16:
      return whole_numbers<std::uint16_t>();
    case kInt32:
      return whole_numbers<std::int32_t>();
    case kUint32:
      return whole_numbers<std::uint32_t>();
    case kInt64:
      return whole_numbers<std::int64_t>();
    default:
      return whole_numbers<std::uint64_t>();
  }
}

/// The shape of the input for a constant, or nothing if that doesn't fit.
bool fit(const Shape& input, const Constant& constant, Shape& shape) {
  shape = constant.shape;
  if (constant.shape.empty()) shape.assign(input.size(), 1);
  if (shape.size() != input.size()) return false;
  for (std::size_t axis = 0; axis < input.size(); ++axis) {
    if (input[axis] >= 0 && input[axis] != shape[axis]) return false;
  }
  return true;
}

}  // namespace

std::string format(const Constants& constants) {
  std::string text = "{";
  for (const auto& [name, constant] : constants) {
    if (text.size() > 1) text += ", ";
    text += fastaudio::format(name) + ": ";
    std::size_t at = 0;
    write_axes(text, constant, 0, at);
  }
  return text + "}";
}

std::vector<Bound> bind(const Session& session, const Constants& constants) {
  std::vector<Bound> bound;
  for (const auto& [name, constant] : constants) {
    const std::string subject = session.subject() + ": expected ";
    const TensorInfo* input = find(session.inputs(), name);
    if (input == nullptr) {
      const auto known = names_of(session.inputs());
      throw UnknownTensor(subject + "inputs among " + short_text(known), known, name);
    }
    const std::string what =
        type_text(input->element_type) + " " + shape_text(input->shape) + " for input " + short_text(name);
    const std::size_t size = element_size(input->element_type);
    if (size == 0) {
      throw ModelError(subject + "numbers as input " + short_text(name) + ", got " +
                       type_text(input->element_type) + " " + shape_text(input->shape) +
                       " in the network; export it with numbers there");
    }
    Bound made{name, input->element_type, {}, {}};
    if (!fit(input->shape, constant, made.shape)) {
      const bool one = constant.shape.empty();
      throw ModelError(subject + what + ", got " +
                       (one ? "one number" : "shape " + shape_text(constant.shape)) + "; give it as " +
                       (input->shape.empty() ? "a number" : "nested lists with the extents of these axes"));
    }
    made.bytes.resize(size * constant.values.size());
    for (std::size_t i = 0; i < constant.values.size(); ++i) {
      if (write(constant.values[i], made.element_type, made.bytes.data() + i * size)) continue;
      throw ModelError(subject + what + ", got " + text_of(constant.values[i]) +
                       ", which that type can't hold; give " + taken_by(made.element_type));
    }
    bound.push_back(std::move(made));
  }
  return bound;
}

}  // namespace fastaudio::onnx
