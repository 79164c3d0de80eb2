/// Where the rows within patches lie on one grid over time.
#pragma once

#include <cstdint>

#include "core/spec.hpp"

namespace fastaudio {

/// Patches begin every `numerator` / `denominator` rows of the grid, whose rows come at `rate_hz`. All
/// positions are whole numbers, so that nothing drifts.
class RowGrid {
 public:
  /// `patches` are those that come, [n_rows, ...]; row `context` of one begins with it. Without a rate, the
  /// rows after these share the span of a patch. Throws ValueError, in a node's name, if rows don't fit.
  RowGrid(const char* node, const StreamSpec& patches, double rate_hz, int context);

  double rate_hz() const { return rate_hz_; }

  /// Rows of a patch that are used: those that begin before it ends.
  std::int64_t n_rows() const { return n_rows_; }

  /// The grid's row for the first row of patch k, the nearest one; negative for context before the signal.
  std::int64_t start(std::int64_t k) const {
    return k * whole_ + (2 * k * rest_ + denominator_) / (2 * denominator_) - context_;
  }

  /// The first row of the grid that patch k gives if each row is given once: the middle of what it shares
  /// with the patch before it.
  std::int64_t cut(std::int64_t k) const {
    const std::int64_t first = k == 0 ? start(0) : (start(k) + start(k - 1) + n_rows_) / 2;
    return first > 0 ? first : 0;
  }

  /// Rows of patch k that begin before `end_s`.
  std::int64_t n_before(double end_s, std::int64_t k) const;

  /// How many rows after the beginning of its patch the first row lies that comes out with it, at most;
  /// `first` gives this row for a patch.
  double latest(std::int64_t (RowGrid::*first)(std::int64_t) const) const;

  /// Patches that a row may lie in.
  std::int64_t most_patches() const;

 private:
  double rate_hz_;
  double patch_hz_;
  std::int64_t context_;
  std::int64_t n_rows_ = 0;
  std::int64_t whole_ = 0;  ///< rows between patches, without the rest / denominator
  std::int64_t rest_ = 0;
  std::int64_t denominator_ = 1;
};

}  // namespace fastaudio
