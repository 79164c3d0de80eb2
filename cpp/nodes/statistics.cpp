#include "nodes/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/windowed.hpp"

namespace fastaudio {

namespace {

/// 97.5 for "p97.5"; nothing if the text isn't a p and a number from 0 to 100.
std::optional<double> percent_of(const std::string& kind) {
  const std::string digits = kind.substr(std::min<std::size_t>(1, kind.size()));
  const std::size_t point = digits.find('.');
  if (kind[0] != 'p' || digits.size() > 12 || digits.find_first_not_of("0123456789.") != std::string::npos) {
    return std::nullopt;
  }
  if (point == 0 || point + 1 == digits.size() || digits.rfind('.') != point || digits.empty()) {
    return std::nullopt;
  }
  double number = 0;
  for (const char c : digits) {
    if (c != '.') number = number * 10 + (c - '0');
  }
  if (point != std::string::npos) number /= std::pow(10.0, static_cast<double>(digits.size() - point - 1));
  return number <= 100 ? std::optional(number) : std::nullopt;
}

/// Moments and extremes of rows given one by one, in float64 (Welford, Technometrics 4(3), 1962).
class Moments {
 public:
  explicit Moments(std::size_t row_size)
      : mean_(row_size), squares_(row_size), low_(row_size), high_(row_size) {
    reset();
  }

  void reset() {
    n_ = 0;
    std::fill(mean_.begin(), mean_.end(), 0.0);
    std::fill(squares_.begin(), squares_.end(), 0.0);
    std::fill(low_.begin(), low_.end(), std::numeric_limits<float>::infinity());
    std::fill(high_.begin(), high_.end(), -std::numeric_limits<float>::infinity());
  }

  void add(const float* row) {
    const double share = 1 / static_cast<double>(++n_);
    for (std::size_t k = 0; k < mean_.size(); ++k) {
      const double off = row[k] - mean_[k];
      mean_[k] += off * share;
      squares_[k] += off * (row[k] - mean_[k]);
      low_[k] = std::min(low_[k], row[k]);
      high_[k] = std::max(high_[k], row[k]);
    }
  }

  void write(const std::string& kind, float* out) const {
    const double n = static_cast<double>(n_);
    for (std::size_t k = 0; k < mean_.size(); ++k) {
      const double value = kind == "mean"  ? mean_[k]
                           : kind == "std" ? std::sqrt(squares_[k] / n)
                           : kind == "min" ? low_[k]
                                           : high_[k];
      out[k] = static_cast<float>(value);
    }
  }

 private:
  std::int64_t n_ = 0;
  Buffer<double> mean_;
  Buffer<double> squares_;
  Buffer<float> low_;
  Buffer<float> high_;
};

/// The value below which `percent` of sorted values lie.
float percentile(const Buffer<float>& sorted, double percent) {
  const double position = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const double low = sorted[below];
  const double high = sorted[std::min(below + 1, sorted.size() - 1)];
  return static_cast<float>(low + (high - low) * (position - static_cast<double>(below)));
}

/// Computes all kinds over one clip or window.
class Kinds {
 public:
  Kinds(std::shared_ptr<const Statistics> node, std::size_t row_size)
      : node_(std::move(node)), row_size_(row_size), moments_(row_size) {
    for (const std::string& kind : kinds()) percents_.push_back(percent_of(kind));
    sorts_ = std::any_of(percents_.begin(), percents_.end(), [](const auto& p) { return p.has_value(); });
    const auto window = static_cast<std::size_t>(node_->options().window.value_or(0));
    column_.reserve(window);
    if (sorts_) rows_.reserve(window * row_size);
  }

  void reset() {
    moments_.reset();
    rows_.clear();
  }

  void add(const float* row) {
    moments_.add(row);
    if (sorts_) rows_.insert(rows_.end(), row, row + row_size_);
  }

  void write(float* out) {
    for (std::size_t i = 0; i < percents_.size(); ++i) {
      if (!percents_[i]) moments_.write(kinds()[i], out + i * row_size_);
    }
    for (std::size_t k = 0; sorts_ && k < row_size_; ++k) {
      column_.clear();
      for (std::size_t at = k; at < rows_.size(); at += row_size_) column_.push_back(rows_[at]);
      sort_column();
      for (std::size_t i = 0; i < percents_.size(); ++i) {
        if (percents_[i]) out[i * row_size_ + k] = percentile(column_, *percents_[i]);
      }
    }
  }

 private:
  void sort_column() {
    constexpr std::size_t kShort = std::size_t{1} << 20;  // a longer one is worth a look at each comparison
    constexpr std::size_t kWork = 16;                     // values that are compared with each, about
    if (column_.size() <= kShort) {
      std::sort(column_.begin(), column_.end());
      pace_.did(kWork * column_.size());
      return;
    }
    std::sort(column_.begin(), column_.end(), [this](float a, float b) {
      pace_.did(1);
      return a < b;
    });
  }

  const std::vector<std::string>& kinds() const { return node_->options().kinds; }

  std::shared_ptr<const Statistics> node_;
  std::size_t row_size_;
  std::vector<std::optional<double>> percents_;  ///< for each kind; nothing if it is no percentile
  bool sorts_ = false;
  Moments moments_;
  Buffer<float> rows_;    ///< all rows of the clip or window, if percentiles need them
  Buffer<float> column_;  ///< one element of each of these rows
  Pace pace_;
};

}  // namespace

void Statistics::check(const Options& options) {
  if (options.kinds.empty()) throw ValueError("Statistics: expected at least one of kinds, got none");
  std::set<std::string> seen;
  for (const std::string& kind : options.kinds) {
    if (!contains(Choices{"mean std min max"}, kind) && !percent_of(kind)) {
      throw ValueError(
          "Statistics: expected kinds among 'mean', 'std', 'min', 'max' and percentiles 'p0' to "
          "'p100', got " +
          format(kind));
    }
    if (!seen.insert(kind).second) {
      throw ValueError("Statistics: expected different kinds, got " + format(kind) + " twice");
    }
  }
  check_windows(name, options.window, options.hop);
}

std::vector<Output> Statistics::describe(const StreamSpec& input) const {
  const std::size_t n_kinds = options().kinds.size();
  require_memory(name, n_kinds, input, "number of kinds");
  StreamSpec spec = input;
  if (input.shape.empty()) spec.set_labels(options().kinds);
  spec.shape.insert(spec.shape.begin(), static_cast<std::int64_t>(n_kinds));
  return {{"", per_window(name, input, spec, options().window, options().hop)}};
}

std::optional<Locality> Statistics::locality() const {
  return window_locality(options().window, options().hop);
}

std::unique_ptr<Stream> Statistics::open(const StreamSpec& input) const {
  outputs(input);
  const std::size_t size = input.row_size();
  return std::make_unique<WindowedStream<Kinds>>(Kinds(keep(this), size), options().window, options().hop,
                                                 size, options().kinds.size() * size);
}

}  // namespace fastaudio
