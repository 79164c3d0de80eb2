/// Runs branches over one input and joins the rows that belong together.
#pragma once

#include <functional>

#include "core/budget.hpp"
#include "core/compose/align.hpp"
#include "core/extent.hpp"
#include "core/levels.hpp"
#include "core/rows/row_block.hpp"

namespace fastaudio {

/// Rows that wait for those of other branches. Takes memory only when more of them wait than expected.
class RowQueue {
 public:
  RowQueue(std::size_t row_size, std::size_t expected_rows) : row_size_(row_size) {
    values_.reserve(2 * expected_rows * row_size);  // twice, so that rows seldom move to the front
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
  Buffer<float> values_;
  std::int64_t first_ = 0;   ///< row at the front of values_
  std::int64_t wanted_ = 0;  ///< rows before it are no longer needed
  std::int64_t end_ = 0;
};

/// A row comes out as soon as all inputs of the alignment have the rows that belong to it. At the end a row
/// is dropped if some input has none of its rows; a mean is taken over those that have come.
class JoinStream final : public Stream, public LevelReader, public ExtentReader {
 public:
  /// A branch's stream, and which input of the alignment each of its outputs is.
  struct Branch {
    std::unique_ptr<Stream> stream;
    std::vector<std::size_t> inputs;
  };

  /// Writes a row made from one row of each input.
  using Join = std::function<void(const float* const* rows, float* out)>;

  JoinStream(Alignment alignment, std::vector<Branch> branches, const std::vector<AlignedRows>& inputs,
             const StreamSpec& input, std::size_t row_size, Join join);

  void read(const std::shared_ptr<Levels>& levels, double base_s) override;
  void read(const std::shared_ptr<const Extent>& extent, double base_s) override;

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override;
  void do_settle(Sink& sink) override;
  void do_flush(Sink& sink) override;

  /// Calls call(stream, sink) for each branch.
  template <class Call>
  void run_branches(Call&& call);
  /// Passes on every row that is complete.
  void drain(Sink& sink, bool last);
  /// Finds the rows that belong to the next row out; false if any is missing.
  bool gather(bool last);
  const float* mean_of(std::size_t input, Alignment::RowRange rows);

  Alignment alignment_;
  std::vector<Branch> branches_;
  std::vector<RowQueue> queues_;      ///< by input of the alignment
  std::vector<Buffer<float>> means_;  ///< by input of the alignment
  Buffer<double> sums_;
  std::vector<const float*> rows_;  ///< of the next row out, by input of the alignment
  std::size_t input_size_;
  Join join_;
  RowBlock block_;
  Pace pace_;
  std::int64_t next_ = 0;
};

}  // namespace fastaudio
