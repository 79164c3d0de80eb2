#include "nodes/support/row_grid.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "core/options.hpp"

namespace fastaudio {

namespace {

constexpr double kRowRounding = 1e-6;  // of a row
constexpr std::int64_t kLargestDenominator = 1 << 24;
constexpr int kMostPatchesForARow = 65536;
constexpr std::int64_t kMostTried = 131072;  // patches

struct Fraction {
  std::int64_t numerator;
  std::int64_t denominator;
};

/// The fraction of smallest denominator that is `x` but for rounding, by continued fractions; x >= 0.
Fraction fraction_of(double x) {
  Fraction before{1, 0};
  Fraction now{static_cast<std::int64_t>(x), 1};
  double rest = x - std::floor(x);
  while (std::abs(static_cast<double>(now.numerator) / static_cast<double>(now.denominator) - x) >
         1e-12 * x) {
    const double turned = 1 / rest;
    if (turned > static_cast<double>(kLargestDenominator)) break;
    const auto digit = static_cast<std::int64_t>(turned);
    const std::int64_t denominator = digit * now.denominator + before.denominator;
    if (denominator > kLargestDenominator) break;
    const Fraction next{digit * now.numerator + before.numerator, denominator};
    before = now;
    now = next;
    rest = turned - std::floor(turned);
    if (!(rest > 0)) break;
  }
  return now;
}

std::string seconds(double s) { return format(std::round(s * 1e6) / 1e6) + " s"; }

}  // namespace

RowGrid::RowGrid(const char* node, const StreamSpec& patches, double rate_hz, int context)
    : rate_hz_(rate_hz), patch_hz_(patches.rate_hz), context_(context) {
  const std::string subject = std::string(node) + ": expected ";
  const std::int64_t n_rows = patches.shape.front();
  const double span_s = patches.span_s > 0 ? patches.span_s : 1 / patches.rate_hz;
  if (context_ >= n_rows) {
    throw ValueError(subject + "context below the " + std::to_string(n_rows) + " rows of a patch, got " +
                     std::to_string(context_));
  }
  const double overlap_s = patches.overlaps_s.empty() ? 0 : patches.overlaps_s.front();  // of its last row
  const double rows_s = span_s > overlap_s ? span_s - overlap_s : span_s;
  if (rate_hz_ == 0) rate_hz_ = static_cast<double>(n_rows - context_) / rows_s;
  const double reach = std::min(std::ceil(span_s * rate_hz_ - kRowRounding), static_cast<double>(n_rows));
  n_rows_ = std::min(n_rows, context_ + std::max<std::int64_t>(1, static_cast<std::int64_t>(reach)));
  const std::string lie = std::to_string(n_rows) + " rows at " + format(rate_hz_) + " Hz in patches of " +
                          seconds(span_s) + ", one every " + seconds(1 / patch_hz_);
  if (n_rows - n_rows_ > 1 + n_rows / 20) {  // centred frames reach over the end a little
    throw ValueError(subject + "rows that begin before their patch ends, got " + lie +
                     "; leave out rate_hz, or give the rate that the network's rows have");
  }
  const double step = rate_hz_ / patch_hz_;  // in rows
  if (std::ceil(step - kRowRounding) > static_cast<double>(n_rows_)) {
    throw ValueError(subject + "patches without a gap between their rows, got " + lie +
                     "; choose a smaller hop of the patches, or another rate_hz");
  }
  if (step < 1.0 / kMostPatchesForARow) {
    throw ValueError(subject + "a row in " + std::to_string(kMostPatchesForARow) + " patches or fewer, got " +
                     lie + "; choose a larger hop of the patches, or a higher rate_hz");
  }
  const Fraction exact = fraction_of(step);
  denominator_ = exact.denominator;
  whole_ = exact.numerator / denominator_;
  rest_ = exact.numerator % denominator_;
}

std::int64_t RowGrid::n_before(double end_s, std::int64_t k) const {
  const double rows = (end_s - static_cast<double>(k) / patch_hz_) * rate_hz_;
  // Neither where they are nor on the grid, which may be half a row later, do they begin at the end.
  const double on_grid = std::ceil(end_s * rate_hz_ - kRowRounding) - static_cast<double>(start(k));
  const double n = std::min(std::ceil(rows - kRowRounding) + static_cast<double>(context_), on_grid);
  return static_cast<std::int64_t>(std::clamp(n, 0.0, static_cast<double>(n_rows_)));
}

double RowGrid::latest(std::int64_t (RowGrid::*first)(std::int64_t) const) const {
  double most = 0;  // row 0, which patch 0 gives
  const double rest = static_cast<double>(rest_) / static_cast<double>(denominator_);
  const std::int64_t n = denominator_ + n_rows_ / std::max<std::int64_t>(1, whole_);
  if (n > kMostTried) {  // the most that rounding gives, since it would take long to find out
    const double step = static_cast<double>(whole_) + rest;
    const bool begins = first == &RowGrid::start;
    const double rounded = begins ? 0.5 : 1 + (step - static_cast<double>(n_rows_)) / 2;
    return std::max(0.0, rounded + static_cast<double>(context_));
  }
  for (std::int64_t k = 1; k <= n; ++k) {
    const double place = static_cast<double>(k * whole_) + static_cast<double>(k) * rest;
    most = std::max(most, place - static_cast<double>((this->*first)(k)));
  }
  return most;
}

std::int64_t RowGrid::most_patches() const {
  const double step =
      static_cast<double>(whole_) + static_cast<double>(rest_) / static_cast<double>(denominator_);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(static_cast<double>(n_rows_) / step)));
}

}  // namespace fastaudio
