/// A long signal in parts that can be computed at the same time.
#pragma once

#include <limits>
#include <vector>

#include "core/node.hpp"

namespace fastaudio {

/// What one stream of several has to do: take its inputs, give out its rows, and flush if it is the last.
struct Part {
  std::int64_t first_input = 0;
  std::int64_t end_input = 0;
  std::int64_t first_row = 0;  ///< of the whole signal's
  std::int64_t skip = 0;       ///< rows it makes before that one
  std::int64_t n_rows = -1;    ///< -1: all to the end of the signal
  std::size_t row_size = 1;    ///< values of one

  bool last() const { return n_rows < 0; }
};

/// At most `n_parts` of a node with one output, in order; one if the node isn't divisible or its rows depend
/// on more than what is near them, or if there is too little to share. Joined, their rows are those of one
/// stream bit for bit.
std::vector<Part> split(const Node& node, const StreamSpec& input, std::int64_t n_inputs, int n_parts);

/// Passes on the rows of a part, without those that belong to its neighbours.
class PartSink final : public Sink {
 public:
  PartSink(const Part& part, Sink& out)
      : skip_(static_cast<std::size_t>(part.skip)),
        left_(part.last() ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(part.n_rows)),
        row_size_(part.row_size),
        out_(out) {}
  void write(std::size_t output, const float* rows, std::size_t n_rows) override;

 private:
  std::size_t skip_;
  std::size_t left_;
  std::size_t row_size_;
  Sink& out_;
};

}  // namespace fastaudio
