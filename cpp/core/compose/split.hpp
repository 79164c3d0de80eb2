/// Cuts a long signal into parts that can be computed at the same time.
#pragma once

#include <limits>
#include <vector>

#include "core/node.hpp"

namespace fastaudio {

/// One stream's share of the work: it takes these inputs, gives these rows, and flushes if it is the last.
struct Part {
  std::int64_t first_input = 0;
  std::int64_t end_input = 0;
  std::int64_t first_row = 0;  ///< index in the whole signal
  std::int64_t skip = 0;       ///< rows to drop before it
  std::int64_t n_rows = -1;    ///< -1: all to the end of the signal
  std::size_t row_size = 1;    ///< values per row

  bool last() const { return n_rows < 0; }
};

/// At most `n_parts` parts, in order. Joined, their rows are those of one stream, bit for bit. One part if
/// the node has several outputs or no divisible locality, or if the signal is too short to share.
std::vector<Part> split(const Node& node, const StreamSpec& input, std::int64_t n_inputs, int n_parts);

/// Passes on the rows of a part, without rows that belong to its neighbours.
class PartSink final : public Sink {
 public:
  PartSink(const Part& part, Sink& out)
      : skip_(static_cast<std::size_t>(part.skip)),
        left_(part.last() ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(part.n_rows)),
        row_size_(part.row_size),
        out_(out) {}
  void write(std::size_t output, const float* rows, std::size_t n_rows) override;
  float* extend(std::size_t output, std::size_t n_rows) override;

 private:
  std::size_t skip_;
  std::size_t left_;
  std::size_t row_size_;
  Sink& out_;
};

}  // namespace fastaudio
