#include "live/batch.hpp"

#include <algorithm>
#include <exception>

namespace fastaudio::live {

namespace {

/// Deals rows out in the order in which the streams' rows went in.
class Dealer final : public Sink {
 public:
  Dealer(const std::vector<std::shared_ptr<LiveStream>>& streams, const std::vector<Output>& outputs)
      : streams_(streams), at_(outputs.size()) {
    for (const Output& output : outputs) row_sizes_.push_back(output.spec.row_size());
  }

  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    Place& at = at_[output];
    while (n_rows > 0) {
      LiveStream& stream = *streams_[at.stream];
      const std::size_t n = std::min(n_rows, stream.chain().n_held() - at.row);
      give(stream, output, rows, n);
      rows += n * row_sizes_[output];
      n_rows -= n;
      at.row += n;
      if (at.row == stream.chain().n_held()) at = {at.stream + 1, 0};
    }
  }

 private:
  struct Place {
    std::size_t stream = 0;
    std::size_t row = 0;  ///< among those the stream holds
  };

  /// One stream's failure is its own.
  static void give(LiveStream& stream, std::size_t output, const float* rows, std::size_t n) {
    if (stream.done()) return;
    try {
      stream.resume(output, rows, n);
    } catch (...) {
      stream.fail(std::current_exception());
    }
  }

  const std::vector<std::shared_ptr<LiveStream>>& streams_;
  std::vector<std::size_t> row_sizes_;
  std::vector<Place> at_;
};

}  // namespace

Batch::Batch(const NodePtr& node, const StreamSpec& spec, int capacity)
    : node_(node),
      capacity_(static_cast<std::size_t>(capacity)),
      outputs_(node->outputs(spec)),
      stream_(node->batched(capacity)->open(spec)) {}

void Batch::add(std::shared_ptr<LiveStream> stream) {
  if (waiting_.empty()) since_ns_ = now_ns();
  const Chain& chain = stream->chain();
  rows_.insert(rows_.end(), chain.held().begin(), chain.held().end());
  n_rows_ += chain.n_held();
  waiting_.push_back(std::move(stream));
}

void Batch::run() {
  const std::int64_t start = now_ns();
  try {
    Dealer dealer(waiting_, outputs_);
    stream_->push(rows_.data(), n_rows_, dealer);
    stream_->settle(dealer);
  } catch (...) {
    for (const auto& stream : waiting_) stream->fail(std::current_exception());
  }
  const std::int64_t each = (now_ns() - start) / static_cast<std::int64_t>(waiting_.size());
  for (const auto& stream : waiting_) {
    stream->resumed(each);
    stream->unclaim();
  }
  waiting_.clear();
  rows_.clear();
  n_rows_ = 0;
}

}  // namespace fastaudio::live
