#include "inference/onnx_edge.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace fastaudio::onnx {

namespace {

constexpr float kFloat16Overflows = 65520.0f;  // rounds to infinity; what is below, to 65504 at most

Misfit first_misfit(const float* values, std::size_t n, auto fits) {
  for (std::size_t i = 0; i < n; ++i) {
    if (!fits(values[i])) return {true, values[i]};
  }
  return {};
}

/// What full scale is, and where silence lies, in samples of this type.
template <class T>
constexpr double full_scale =
    std::is_signed_v<T> ? -static_cast<double>(std::numeric_limits<T>::min()) : 128.0;
template <class T>
constexpr double silence = std::is_signed_v<T> ? 0.0 : 128.0;

template <class T>
Misfit to_integers(const float* values, std::size_t n, bool samples, T* to) {
  // In float64, which holds each bound of 32 bits exactly; a float below 2**63 is an int64.
  constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
  const double above = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (samples) {
    const double high = above - 1;
    bool finite = true;
    for (std::size_t i = 0; i < n; ++i) {
      const double value = std::nearbyint(static_cast<double>(values[i]) * full_scale<T> + silence<T>);
      finite = finite && value - value == 0;
      to[i] = value >= high  ? std::numeric_limits<T>::max()
              : value > kLow ? static_cast<T>(value)
                             : std::numeric_limits<T>::min();
    }
    if (finite) return {};
    return first_misfit(values, n, [](float value) { return std::isfinite(value); });
  }
  bool fits = true;
  for (std::size_t i = 0; i < n; ++i) {
    const double value = std::nearbyint(static_cast<double>(values[i]));
    const bool held = value >= kLow && value < above;
    fits = fits && held;
    to[i] = held ? static_cast<T>(value) : T{};
  }
  if (fits) return {};
  return first_misfit(values, n, [&](float value) {
    const double rounded = std::nearbyint(static_cast<double>(value));
    return rounded >= kLow && rounded < above;
  });
}

template <class T>
Misfit from_integers(const T* values, std::size_t n, bool samples, float* to) {
  if (samples) {
    for (std::size_t i = 0; i < n; ++i) {
      to[i] = static_cast<float>((static_cast<double>(values[i]) - silence<T>) / full_scale<T>);
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<float>(values[i]);
  }
  return {};
}

/// Calls `f` with a null pointer to the type of integers.
template <class F>
Misfit with_integers(int element_type, F f) {
  switch (element_type) {
    case kInt8:
      return f(static_cast<std::int8_t*>(nullptr));
    case kUint8:
      return f(static_cast<std::uint8_t*>(nullptr));
    case kInt16:
      return f(static_cast<std::int16_t*>(nullptr));
    case kUint16:
      return f(static_cast<std::uint16_t*>(nullptr));
    case kInt32:
      return f(static_cast<std::int32_t*>(nullptr));
    case kUint32:
      return f(static_cast<std::uint32_t*>(nullptr));
    case kInt64:
      return f(static_cast<std::int64_t*>(nullptr));
    default:
      return f(static_cast<std::uint64_t*>(nullptr));
  }
}

/// Sound has a scale in these types only.
bool holds_samples(int type) { return type == kInt8 || type == kUint8 || type == kInt16 || type == kInt32; }

}  // namespace

std::size_t element_size(int element_type) {
  switch (element_type) {
    case kBool:
    case kInt8:
    case kUint8:
      return 1;
    case kFloat16:
    case kInt16:
    case kUint16:
      return 2;
    case kFloat:
    case kInt32:
    case kUint32:
      return 4;
    case kDouble:
    case kInt64:
    case kUint64:
      return 8;
    default:
      return 0;
  }
}

std::string convertible_types() { return "float16, float32, float64, bool, and integers of 8 to 64 bits"; }

bool fits_float16(float value) { return std::fabs(value) < kFloat16Overflows; }

std::uint16_t to_float16(float value) {
  // Without a branch that depends on the value, so that a loop over it is vectorised.
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t size = bits & 0x7FFFFFFFU;
  // Normal: the exponent's bias falls from 127 to 15, and 13 bits of the mantissa are rounded off.
  const std::uint32_t normal = (size - (112U << 23) + 0xFFFU + (size >> 13 & 1U)) >> 13;
  // Below 2**-14: adding 0.5 moves the mantissa to its place, and the addition rounds.
  const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5f) - 0x3F000000U;
  const std::uint32_t large = size > 0x7F800000U ? 0x7E00U : 0x7C00U;  // NaN and infinity
  const std::uint32_t half = size >= 0x477FF000U ? large : size >= 0x38800000U ? normal : small;
  return static_cast<std::uint16_t>(sign | half);
}

float from_float16(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t size = static_cast<std::uint32_t>(half & 0x7FFFU) << 13;
  // The exponent's bias rises from 15 to 127: by arithmetic below 2**-14, where there is no leading one.
  const std::uint32_t normal = size + (112U << 23);
  const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size + (113U << 23)) -
                                                           std::bit_cast<float>(113U << 23));
  const std::uint32_t large = size + (224U << 23);
  const std::uint32_t bits = size >= 0x0F800000U ? large : size >= 0x00800000U ? normal : small;
  return std::bit_cast<float>(sign | bits);
}

Misfit to_type(const float* values, std::size_t n, int element_type, bool samples, void* to) {
  switch (element_type) {
    case kFloat:
      std::memcpy(to, values, n * sizeof(float));
      return {};
    case kDouble:
      for (std::size_t i = 0; i < n; ++i) static_cast<double*>(to)[i] = static_cast<double>(values[i]);
      return {};
    case kFloat16: {
      bool fits = true;
      for (std::size_t i = 0; i < n; ++i) {
        fits = fits && fits_float16(values[i]);
        static_cast<std::uint16_t*>(to)[i] = to_float16(values[i]);
      }
      return fits ? Misfit{} : first_misfit(values, n, fits_float16);
    }
    case kBool:
      for (std::size_t i = 0; i < n; ++i) static_cast<std::uint8_t*>(to)[i] = values[i] != 0;
      return first_misfit(values, n, [](float value) { return std::isfinite(value); });
    default:
      return with_integers(element_type, [&](auto* type) {
        return to_integers(values, n, samples && holds_samples(element_type),
                           static_cast<decltype(type)>(to));
      });
  }
}

Misfit from_type(const void* values, std::size_t n, int element_type, bool samples, float* to) {
  const auto finite = [](float value) { return std::isfinite(value); };
  switch (element_type) {
    case kFloat:
      std::memcpy(to, values, n * sizeof(float));
      return {};
    case kDouble:
      for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<float>(static_cast<const double*>(values)[i]);
      return first_misfit(to, n, finite);
    case kFloat16:
      for (std::size_t i = 0; i < n; ++i) to[i] = from_float16(static_cast<const std::uint16_t*>(values)[i]);
      return first_misfit(to, n, finite);
    case kBool:
      for (std::size_t i = 0; i < n; ++i)
        to[i] = static_cast<const std::uint8_t*>(values)[i] != 0 ? 1.0f : 0.0f;
      return {};
    default:
      return with_integers(element_type, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        return from_integers(static_cast<const T*>(values), n, samples && holds_samples(element_type), to);
      });
  }
}

}  // namespace fastaudio::onnx
