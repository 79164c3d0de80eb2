/// Constants: further inputs of a network, which are the same in each run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "inference/onnx_session.hpp"

namespace fastaudio::onnx {

/// A whole number is an int64 if that holds it, else a uint64, else a float.
using Number = std::variant<bool, std::int64_t, std::uint64_t, double>;

/// Numbers with the axes of nested lists; no axes for one number.
struct Constant {
  Shape shape;
  std::vector<Number> values;
  friend bool operator==(const Constant&, const Constant&) = default;
};

using Constants = std::map<std::string, Constant>;

/// The most values that a constant may have; a network keeps larger ones itself.
inline constexpr std::size_t kLargestConstant = std::size_t{1} << 20;

/// Writes them as Python does: {'sr': 16000, 'mask': [[1.0, 0.5]]}.
std::string format(const Constants& constants);

/// A constant in the form that the network takes.
struct Bound {
  std::string name;
  int element_type = 0;
  Shape shape;
  std::vector<std::byte> bytes;
};

/// Gives each constant the type and shape of the input of its name: one number fills an input of one value;
/// lists have the input's axes, whatever extents it leaves open. Throws ModelError for an unknown name,
/// another shape, and a number that the input's type can't hold; floats are rounded to the type, integers are
/// not.
std::vector<Bound> bind(const Session& session, const Constants& constants);

}  // namespace fastaudio::onnx
