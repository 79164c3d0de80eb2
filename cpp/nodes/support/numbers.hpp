/// Options that hold one number for every value, or one for each.
#pragma once

#include <cstddef>
#include <vector>

namespace fastaudio {

using Numbers = std::vector<double>;

/// The number for value i.
inline double at(const Numbers& numbers, std::size_t i) {
  return numbers.size() == 1 ? numbers[0] : numbers[i];
}

}  // namespace fastaudio
