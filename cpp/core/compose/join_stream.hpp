/// Runs branches over one input and joins what belongs together, row by row.
#pragma once

#include "core/compose/align.hpp"
#include "core/rows/row_block.hpp"

namespace fastaudio {

/// Rows that wait for others. Takes memory only where more of them wait than was expected.
class RowQueue {
 public:
  RowQueue(std::size_t row_size, std::size_t expected_rows) : row_size_(row_size) {
    values_.reserve(2 * expected_rows * row_size);  // twice: rows move to the front once in so many
  }

  std::int64_t end() const { return end_; }
  std::size_t row_size() const { return row_size_; }
  const float* at(std::int64_t row) const {
    return &values_[static_cast<std::size_t>(row - first_) * row_size_];
  }
  void discard_before(std::int64_t row) { wanted_ = std::max(wanted_, row); }
  void write(const float* rows, std::size_t n_rows);

 private:
  std::size_t row_size_;
  std::vector<float> values_;
  std::int64_t first_ = 0;   ///< row that values_ begin with
  std::int64_t wanted_ = 0;  ///< those before are done with
  std::int64_t end_ = 0;
};

/// A row comes out as soon as all sources have what belongs to it. At the end rows that lack any are
/// dropped, but a mean is taken of what there is.
class JoinStream : public Stream {
 public:
  /// A branch's stream, and which source each of its outputs is.
  struct Branch {
    std::unique_ptr<Stream> stream;
    std::vector<std::size_t> sources;
  };

  JoinStream(Alignment alignment, std::vector<Branch> branches, const std::vector<Source>& sources,
             const StreamSpec& input, std::size_t row_size);

 private:
  /// Writes a row from one of each source.
  virtual void join(const float* const* rows, float* out) const = 0;

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override;
  void do_settle(Sink& sink) override;
  void do_flush(Sink& sink) override;

  /// Passes on every row that is complete.
  void drain(Sink& sink, bool last);
  bool gather(bool last);
  const float* mean_of(std::size_t source, Alignment::Rows rows);

  Alignment alignment_;
  std::vector<Branch> branches_;
  std::vector<RowQueue> queues_;           ///< by source
  std::vector<std::vector<float>> means_;  ///< by source
  std::vector<double> sums_;
  std::vector<const float*> rows_;  ///< of the next row out, by source
  std::size_t input_size_;
  RowBlock block_;
  std::int64_t next_ = 0;
};

}  // namespace fastaudio
