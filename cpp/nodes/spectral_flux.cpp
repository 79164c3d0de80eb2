#include "nodes/spectral_flux.hpp"

#include <algorithm>
#include <cmath>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_block.hpp"
#include "core/rows/row_ring.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

class FluxStream final : public Stream {
 public:
  FluxStream(const SpectralFlux::Options& options, std::size_t n_bands)
      : lag_(options.lag),
        below_(static_cast<std::size_t>(options.max_size / 2)),
        above_(static_cast<std::size_t>((options.max_size - 1) / 2)),
        l2_(options.aggregate == "l2"),
        rectify_(options.rectify),
        divisor_(options.aggregate == "mean" ? static_cast<double>(n_bands) : 1),
        ring_(static_cast<std::size_t>(options.lag), n_bands),
        largest_(n_bands),
        block_(1) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += largest_.size()) {
      *block_.next(sink) = ring_.end() < lag_ ? 0 : flux(rows, ring_.at(ring_.end() - lag_));
      ring_.push(largest_around(rows));
      pace_.did(largest_.size() * (below_ + above_ + 1));
    }
    block_.write(sink);
  }

  float flux(const float* row, const float* earlier) const {
    const auto rise = [&](std::size_t k) {
      const double difference = double{row[k]} - double{earlier[k]};
      return rectify_ ? std::max(0.0, difference) : std::abs(difference);
    };
    if (l2_) {
      return static_cast<float>(
          std::sqrt(dsp::sum<double>(largest_.size(), [&](std::size_t k) { return rise(k) * rise(k); })));
    }
    return static_cast<float>(dsp::sum<double>(largest_.size(), rise) / divisor_);
  }

  /// Each band's largest value from `below_` bands under it to `above_` bands over it, as SciPy places even
  /// sizes; windows end where the row ends.
  const float* largest_around(const float* row) {
    const std::size_t n = largest_.size();
    std::copy_n(row, n, largest_.begin());
    for (std::size_t j = 1; j <= std::min(below_, n - 1); ++j) {
      for (std::size_t k = j; k < n; ++k) largest_[k] = std::max(largest_[k], row[k - j]);
    }
    for (std::size_t j = 1; j <= std::min(above_, n - 1); ++j) {
      for (std::size_t k = j; k < n; ++k) largest_[k - j] = std::max(largest_[k - j], row[k]);
    }
    return largest_.data();
  }

  std::int64_t lag_;
  std::size_t below_;
  std::size_t above_;
  bool l2_;
  bool rectify_;
  double divisor_;
  RowRing ring_;  ///< of the rows that later ones are compared with, after `largest_around`
  Buffer<float> largest_;
  RowBlock block_;
  Pace pace_;
};

}  // namespace

std::vector<Output> SpectralFlux::describe(const StreamSpec& input) const {
  require_rank(name, input, 1, "rows [n_bands]");
  require_memory(name, static_cast<std::size_t>(options().lag), input, "lag");
  return each_row(input, 1, input.unit);
}

std::unique_ptr<Stream> SpectralFlux::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<FluxStream>(options(), input.row_size());
}

}  // namespace fastaudio
