#include "live/batch.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace fastaudio::live {

/// Hands the batch's rows to the streams, in the order in which their rows went in.
class Batch::Dealer final : public Sink {
 public:
  Dealer(const std::vector<std::shared_ptr<LiveStream>>& streams, const std::vector<std::size_t>& row_sizes)
      : streams_(streams), row_sizes_(row_sizes), at_(row_sizes.size()) {}

  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    const std::int64_t start = now_ns();
    Cursor& at = at_[output];
    while (n_rows > 0) {
      LiveStream& stream = *streams_[at.stream];
      const std::size_t n = std::min(n_rows, stream.chain().n_held() - at.row);
      stream.pass_on(output, rows, n);
      rows += n * row_sizes_[output];
      n_rows -= n;
      at.row += n;
      if (at.row == stream.chain().n_held()) at = {at.stream + 1, 0};
    }
    time_ns_ += now_ns() - start;
  }

  /// Time spent in the parts behind the batch.
  std::int64_t time_ns() const { return time_ns_; }

 private:
  struct Cursor {
    std::size_t stream = 0;
    std::size_t row = 0;  ///< index among the rows that the stream holds
  };

  const std::vector<std::shared_ptr<LiveStream>>& streams_;
  const std::vector<std::size_t>& row_sizes_;
  std::vector<Cursor> at_;
  std::int64_t time_ns_ = 0;
};

Batch::Batch(NodePtr node, StreamSpec spec, int capacity)
    : node_(std::move(node)), spec_(std::move(spec)), capacity_(capacity) {}

/// Fewer rows where they are so large that all of them would take more than 256 MiB.
int Batch::capacity() const {
  constexpr std::size_t kMostValues = std::size_t{1} << 26;
  const std::size_t fits = std::max<std::size_t>(kMostValues / spec_.row_size(), 1);
  return static_cast<int>(std::min(static_cast<std::size_t>(capacity_), fits));
}

void Batch::run(const std::vector<std::shared_ptr<LiveStream>>& streams) noexcept {
  const std::int64_t start = now_ns();
  std::int64_t behind_ns = 0;
  try {
    if (!stream_) {
      row_sizes_.clear();
      for (const Output& output : node_->outputs(spec_)) row_sizes_.push_back(output.spec.row_size());
      stream_ = node_->batched(capacity())->open(spec_);
    }
    rows_.clear();
    std::size_t n_rows = 0;
    for (const auto& stream : streams) {
      const Chain& chain = stream->chain();
      rows_.insert(rows_.end(), chain.held().begin(), chain.held().end());
      n_rows += chain.n_held();
    }
    Dealer dealer(streams, row_sizes_);
    stream_->push(rows_.data(), n_rows, dealer);
    stream_->settle(dealer);
    behind_ns = dealer.time_ns();
  } catch (...) {
    stream_.reset();  // it can't go on after an error; the next batch opens another
    for (const auto& stream : streams) stream->end(std::current_exception());
  }
  const std::int64_t each_ns = (now_ns() - start - behind_ns) / static_cast<std::int64_t>(streams.size());
  for (const auto& stream : streams) stream->end_batch(each_ns);
}

}  // namespace fastaudio::live
