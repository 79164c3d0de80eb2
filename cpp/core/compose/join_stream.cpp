#include "core/compose/join_stream.hpp"

#include <cmath>

namespace fastaudio {

namespace {

/// Each branch takes this many input values before the next branch does: the rows of the first wait until
/// the last has run.
constexpr std::size_t kPiece = 65536;

/// Most values to reserve memory for in advance.
constexpr double kMostExpected = 1 << 24;

std::size_t expected_rows(const StreamSpec& spec, double latency_s, const StreamSpec& input) {
  if (spec.rate_hz == 0) return 1;
  constexpr double kSlack = 64;  // first rows come early, and models with threads late
  const double piece_s = static_cast<double>(kPiece / input.row_size() + 1) / input.rate_hz;
  const double waits_s = std::isfinite(latency_s) ? latency_s - spec.latency_s : 0;
  const double n = (piece_s + waits_s) * spec.rate_hz + kSlack;
  return static_cast<std::size_t>(std::min(n, kMostExpected / static_cast<double>(spec.row_size())) + 1);
}

/// Writes a branch's outputs to their queues.
class QueueSink final : public Sink {
 public:
  QueueSink(const std::vector<std::size_t>& inputs, std::vector<RowQueue>& queues)
      : inputs_(inputs), queues_(queues) {}
  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    queues_[inputs_[output]].write(rows, n_rows);
  }

 private:
  const std::vector<std::size_t>& inputs_;
  std::vector<RowQueue>& queues_;
};

}  // namespace

void RowQueue::write(const float* rows, std::size_t n_rows) {
  if (values_.size() + n_rows * row_size_ > values_.capacity()) {
    const std::int64_t done = std::min(wanted_, end_) - first_;
    values_.erase(values_.begin(), values_.begin() + done * static_cast<std::int64_t>(row_size_));
    first_ += done;
  }
  values_.insert(values_.end(), rows, rows + n_rows * row_size_);
  end_ += static_cast<std::int64_t>(n_rows);
}

JoinStream::JoinStream(Alignment alignment, std::vector<Branch> branches,
                       const std::vector<AlignedRows>& inputs, const StreamSpec& input, std::size_t row_size,
                       Join join)
    : alignment_(std::move(alignment)),
      branches_(std::move(branches)),
      rows_(inputs.size()),
      input_size_(input.row_size()),
      join_(std::move(join)),
      block_(row_size) {
  const double latency_s = alignment_.latency_s(inputs);
  for (const AlignedRows& rows : inputs) {
    const std::size_t size = rows.spec.row_size();
    queues_.emplace_back(size, expected_rows(rows.spec, latency_s, input));
    means_.emplace_back(size);
    sums_.resize(std::max(sums_.size(), size));
  }
}

void JoinStream::read(const std::shared_ptr<Levels>& levels, double base_s) {
  for (const Branch& branch : branches_) give_levels(levels, base_s, *branch.stream);
}

void JoinStream::read(const std::shared_ptr<const Extent>& extent, double base_s) {
  for (const Branch& branch : branches_) give_extent(extent, base_s, *branch.stream);
}

template <class Call>
void JoinStream::run_branches(Call&& call) {
  for (Branch& branch : branches_) {
    QueueSink outputs(branch.inputs, queues_);
    call(*branch.stream, outputs);
  }
}

void JoinStream::do_push(const float* rows, std::size_t n_rows, Sink& sink) {
  const std::size_t piece = std::max<std::size_t>(kPiece / input_size_, 1);
  while (n_rows > 0) {
    const std::size_t n = std::min(n_rows, piece);
    run_branches([&](Stream& stream, Sink& outputs) { stream.push(rows, n, outputs); });
    drain(sink, false);
    rows += n * input_size_;
    n_rows -= n;
  }
}

void JoinStream::do_settle(Sink& sink) {
  run_branches([](Stream& stream, Sink& outputs) { stream.settle(outputs); });
  drain(sink, false);
}

void JoinStream::do_flush(Sink& sink) {
  run_branches([](Stream& stream, Sink& outputs) { stream.flush(outputs); });
  drain(sink, true);
}

void JoinStream::drain(Sink& sink, bool last) {
  while (gather(last)) {
    join_(rows_.data(), block_.next(sink));
    ++next_;
    for (std::size_t s = 0; s < queues_.size(); ++s) {
      queues_[s].discard_before(alignment_.rows(s, next_).first);
    }
  }
  block_.write(sink);
}

bool JoinStream::gather(bool last) {
  for (std::size_t s = 0; s < queues_.size(); ++s) {
    const Alignment::RowRange rows = alignment_.rows(s, next_);
    if (queues_[s].end() < (last ? rows.first + 1 : rows.end)) return false;
  }
  for (std::size_t s = 0; s < queues_.size(); ++s) {
    const Alignment::RowRange rows = alignment_.rows(s, next_);
    const bool one = rows.end - rows.first == 1;
    rows_[s] =
        one ? queues_[s].at(rows.first) : mean_of(s, {rows.first, std::min(rows.end, queues_[s].end())});
  }
  return true;
}

const float* JoinStream::mean_of(std::size_t input, Alignment::RowRange rows) {
  const RowQueue& queue = queues_[input];
  const std::size_t size = queue.row_size();
  std::fill_n(sums_.begin(), size, 0.0);
  for (std::int64_t j = rows.first; j < rows.end; ++j) {
    const float* row = queue.at(j);
    for (std::size_t k = 0; k < size; ++k) sums_[k] += row[k];
  }
  const auto n = static_cast<double>(rows.end - rows.first);
  pace_.did(static_cast<std::size_t>(rows.end - rows.first) * size);
  for (std::size_t k = 0; k < size; ++k) means_[input][k] = static_cast<float>(sums_[k] / n);
  return means_[input].data();
}

}  // namespace fastaudio
