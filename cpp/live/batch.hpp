/// Runs rows of several streams through a network at once.
#pragma once

#include <memory>
#include <vector>

#include "live/live_stream.hpp"

namespace fastaudio::live {

/// A node that takes up to `capacity` rows in one run. One thread at a time may use it.
class Batch {
 public:
  /// The node is opened at the first run.
  Batch(NodePtr node, StreamSpec spec, int capacity);

  /// Runs the rows that the streams hold, which have the node's shape, and hands each stream its own. The
  /// caller has claimed the streams. Throws nothing: an error ends all of these streams.
  void run(const std::vector<std::shared_ptr<LiveStream>>& streams) noexcept;

 private:
  class Dealer;

  int capacity() const;

  NodePtr node_;
  StreamSpec spec_;
  int capacity_;
  std::unique_ptr<Stream> stream_;
  std::vector<std::size_t> row_sizes_;  ///< by output
  std::vector<float> rows_;
};

}  // namespace fastaudio::live
