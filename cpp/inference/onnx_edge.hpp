/// The edge of a network: rows are float32, and the network's own tensors may have another type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "inference/onnx_abi.hpp"

namespace fastaudio::onnx {

/// Bytes of an element of this type; 0 if numbers aren't converted to and from it.
std::size_t element_size(int element_type);

/// The types that are converted, for messages.
std::string convertible_types();

/// Whether the float isn't infinite as a float16.
bool fits_float16(float value);

/// Rounds to the nearest float16, to the even one of two as near.
std::uint16_t to_float16(float value);
float from_float16(std::uint16_t half);

/// Where values of a tensor don't fit, and what was found there.
struct Misfit {
  bool found = false;
  float value = 0;
};

/// Turns rows into a tensor's type. To integers they are rounded to the nearest, to the even one of two as
/// near. `samples` says that they are sound: full scale +-1 is then the whole range of int8, int16 or int32,
/// and of uint8 around 128, and what is beyond is clipped. Any other number that the type can't hold is a
/// misfit.
Misfit to_type(const float* values, std::size_t n, int element_type, bool samples, void* to);

/// Turns a tensor's values into rows, back from full scale with `samples`. A number that isn't finite, or
/// would not be as a float32, is a misfit.
Misfit from_type(const void* values, std::size_t n, int element_type, bool samples, float* to);

}  // namespace fastaudio::onnx
