/// Names of a network's tensors in messages: there may be a million of them, of any length.
#pragma once

#include <string>
#include <vector>

#include "core/error.hpp"

namespace fastaudio::onnx {

/// The most names that a message lists.
inline constexpr std::size_t kListed = 6;

/// Writes a name as Python does; of a long one the beginning.
std::string short_text(const std::string& name);

/// Writes names as Python does; of many the first, and how many more there are.
std::string short_text(const std::vector<std::string>& names);

/// A name was asked for that is not among the known ones.
struct UnknownName : ModelError {
  /// "<expected>, got 'x'<remedy>". `expected` lists `known`, or the first of them.
  UnknownName(const std::string& expected, std::vector<std::string> among, std::string name,
              const char* remedy = "");
  std::vector<std::string> known;
  std::string got;
};

/// One of a network's tensors was asked for, which it hasn't.
struct UnknownTensor : UnknownName {
  using UnknownName::UnknownName;
};

}  // namespace fastaudio::onnx
