/// Rows of several streams, run through one network at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "live/live_stream.hpp"

namespace fastaudio::live {

/// Streams whose next row waits for the same node. One thread at a time.
class Batch {
 public:
  /// Runs up to `capacity` rows at once. Throws as the node's `open` does.
  Batch(const NodePtr& node, const StreamSpec& spec, int capacity);

  /// The stream is claimed, and stays so until its rows have been run.
  void add(std::shared_ptr<LiveStream> stream);

  const NodePtr& node() const { return node_; }
  bool empty() const { return waiting_.empty(); }
  bool full() const { return n_rows_ >= capacity_; }
  std::int64_t since_ns() const { return since_ns_; }  ///< when the first row came

  /// Runs all rows, hands each stream its own and unclaims it. An error ends the streams it was met with.
  void run();

 private:
  NodePtr node_;
  std::size_t capacity_;
  std::vector<Output> outputs_;
  std::unique_ptr<Stream> stream_;
  std::vector<std::shared_ptr<LiveStream>> waiting_;
  std::vector<float> rows_;
  std::size_t n_rows_ = 0;
  std::int64_t since_ns_ = 0;
};

}  // namespace fastaudio::live
