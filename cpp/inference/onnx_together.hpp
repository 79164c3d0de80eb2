/// Finds out whether the rows of one run of a network change each other's numbers.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "inference/onnx_session.hpp"

namespace fastaudio::onnx {

/// Where rows of one run change each other.
struct Mixed {
  std::string output;  ///< its name; empty if there is none
  double apart = 0;    ///< largest difference of a number from that of a run of the row alone
};

/// Remembers what was found for each shape of a run's input and choice of outputs. It is thread-safe.
class MixedRows {
 public:
  /// Returns what `look` finds, which is called once for each.
  template <class Look>
  Mixed find(const Shape& input, const std::vector<std::string>& outputs, Look look) {
    const auto lock = wait();
    const auto key = std::pair(input, outputs);
    const auto known = found_.find(key);
    if (known != found_.end()) return known->second;
    return found_[key] = look();
  }

 private:
  std::unique_lock<std::mutex> wait();

  std::mutex mutex_;  ///< guards what follows
  std::map<std::pair<Shape, std::vector<std::string>>, Mixed> found_;
};

}  // namespace fastaudio::onnx
