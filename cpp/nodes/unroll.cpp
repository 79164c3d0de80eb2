#include "nodes/unroll.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/budget.hpp"
#include "core/extent.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_block.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_grid.hpp"

namespace fastaudio {

namespace {

RowGrid grid_of(const Unroll::Options& o, const StreamSpec& input) {
  return {Unroll::name, input, o.rate_hz.value_or(0), o.context};
}

/// What both ways have in common: which patch comes, and how many of its rows are of the signal.
class UnrollStream : public Stream, public ExtentReader {
 public:
  UnrollStream(const RowGrid& grid, const StreamSpec& input)
      : grid_(grid),
        row_size_(input.row_size() / static_cast<std::size_t>(input.shape.front())),
        patch_size_(input.row_size()),
        block_(row_size_) {}

  void read(const std::shared_ptr<const Extent>& extent, double base_s) override {
    extent_ = extent;
    base_s_ = base_s;
  }

 protected:
  /// Takes the first `n` rows of patch k.
  virtual void take(const float* patch, std::int64_t k, std::int64_t n, Sink& sink) = 0;

  const RowGrid& grid() const { return grid_; }
  std::size_t row_size() const { return row_size_; }
  float* next(Sink& sink) { return block_.next(sink); }
  void write(Sink& sink) { block_.write(sink); }

 private:
  void do_push(const float* patches, std::size_t n_patches, Sink& sink) final {
    for (; n_patches > 0; --n_patches, patches += patch_size_, ++k_) {
      std::int64_t n = grid_.n_rows();
      if (extent_ && extent_->ended && extent_->rate_hz > 0) {
        n = grid_.n_before(static_cast<double>(extent_->n_rows) / extent_->rate_hz - base_s_, k_);
      }
      take(patches, k_, n, sink);
      pace_.did(patch_size_);
    }
    write(sink);
  }

  RowGrid grid_;
  std::size_t row_size_;
  std::size_t patch_size_;
  RowBlock block_;
  Pace pace_;
  std::shared_ptr<const Extent> extent_;
  double base_s_ = 0;
  std::int64_t k_ = 0;
};

/// Each row comes from one patch: those up to the middle of what it shares with the next one.
class TrimStream final : public UnrollStream {
 public:
  TrimStream(const RowGrid& grid, const StreamSpec& input)
      : UnrollStream(grid, input), tail_(static_cast<std::size_t>(grid.n_rows()) * row_size()) {}

 private:
  void take(const float* patch, std::int64_t k, std::int64_t n, Sink& sink) override {
    const std::int64_t start = grid().start(k);
    const std::int64_t next_cut = grid().cut(k + 1);
    const std::int64_t end = start + n;
    for (std::int64_t t = grid().cut(k); t < std::min(next_cut, end); ++t) {
      std::copy_n(patch + static_cast<std::size_t>(t - start) * row_size(), row_size(), next(sink));
    }
    n_tail_ = static_cast<std::size_t>(std::max<std::int64_t>(0, end - next_cut));  // if no patch follows
    if (n_tail_ == 0) return;
    std::copy_n(patch + static_cast<std::size_t>(next_cut - start) * row_size(), n_tail_ * row_size(),
                tail_.data());
  }

  void do_flush(Sink& sink) override {
    for (std::size_t i = 0; i < n_tail_; ++i) {
      std::copy_n(&tail_[i * row_size()], row_size(), next(sink));
    }
    write(sink);
  }

  Buffer<float> tail_;
  std::size_t n_tail_ = 0;
};

/// Each row is the weighted mean of those of all patches that it lies in.
class MeanStream final : public UnrollStream {
 public:
  MeanStream(const RowGrid& grid, const StreamSpec& input, bool hamming)
      : UnrollStream(grid, input),
        weights_(static_cast<std::size_t>(grid.n_rows()), 1),
        sums_(weights_.size() * row_size()),
        totals_(weights_.size()) {
    const std::int64_t n = input.shape.front();
    for (std::size_t j = 0; hamming && n > 1 && j < weights_.size(); ++j) {
      const double turn = static_cast<double>(j) / static_cast<double>(n - 1);
      weights_[j] = 0.54 - 0.46 * std::cos(2 * std::numbers::pi * turn);
    }
  }

 private:
  void take(const float* patch, std::int64_t k, std::int64_t n, Sink& sink) override {
    const std::int64_t start = grid().start(k);
    for (std::int64_t j = std::max<std::int64_t>(0, -start); j < n; ++j) {
      const float* row = patch + static_cast<std::size_t>(j) * row_size();
      const double weight = weights_[static_cast<std::size_t>(j)];
      const std::size_t at = slot(start + j);
      totals_[at] += weight;
      for (std::size_t i = 0; i < row_size(); ++i) sums_[at * row_size() + i] += weight * row[i];
    }
    end_ = std::max(end_, start + n);
    give(std::min(grid().start(k + 1), end_), sink);  // later patches don't reach these rows
  }

  void do_flush(Sink& sink) override {
    give(end_, sink);
    write(sink);
  }

  void give(std::int64_t end, Sink& sink) {
    for (; now_ < end; ++now_) {
      const std::size_t at = slot(now_);
      float* out = next(sink);
      for (std::size_t i = 0; i < row_size(); ++i) {
        double& sum = sums_[at * row_size() + i];
        out[i] = static_cast<float>(sum / totals_[at]);
        sum = 0;
      }
      totals_[at] = 0;
    }
  }

  std::size_t slot(std::int64_t row) const { return static_cast<std::size_t>(row) % weights_.size(); }

  Buffer<double> weights_;  ///< of the rows of a patch
  Buffer<double> sums_;     ///< of rows that more patches may reach, by number
  Buffer<double> totals_;   ///< of their weights
  std::int64_t now_ = 0;    ///< the row that comes out next
  std::int64_t end_ = 0;
};

}  // namespace

std::vector<Output> Unroll::describe(const StreamSpec& input) const {
  const std::string subject = std::string(name) + ": expected patches [n_rows, ...]";
  const bool named = input.shape.size() == 1 && (!input.labels.empty() || input.bin_hz > 0);
  if (input.shape.empty() || named) {
    throw ValueError(subject + ", got rows " + to_string(input) + (named ? " of bands or labels" : "") +
                     "; compose after Patches, or after a network that gives a row for each frame");
  }
  if (input.once()) {
    throw ValueError(subject + " over time, got rows " + to_string(input) + "; compose after Patches");
  }
  const RowGrid grid = grid_of(options(), input);
  StreamSpec spec = input;
  spec.shape.erase(spec.shape.begin());
  if (spec.shape.empty() && spec.kind != StreamSpec::Kind::samples) spec.shape = {1};
  spec.rate_hz = grid.rate_hz();
  spec.span_s = 1 / spec.rate_hz;
  if (!spec.overlaps_s.empty()) {
    spec.span_s += spec.overlaps_s.front();
    spec.overlaps_s.erase(spec.overlaps_s.begin());
  }
  const bool trims = options().overlap == "trim";
  spec.latency_s += grid.latest(trims ? &RowGrid::cut : &RowGrid::start) / spec.rate_hz;
  return {{"", spec}};
}

std::unique_ptr<Stream> Unroll::open(const StreamSpec& input) const {
  outputs(input);
  const RowGrid grid = grid_of(options(), input);
  if (options().overlap == "trim") return std::make_unique<TrimStream>(grid, input);
  return std::make_unique<MeanStream>(grid, input, options().overlap == "hamming");
}

double Unroll::receptive_field_s(const StreamSpec& input) const {
  const auto n = options().overlap == "trim" ? 1 : grid_of(options(), input).most_patches();
  return static_cast<double>(n) / input.rate_hz;
}

}  // namespace fastaudio
