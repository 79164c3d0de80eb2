#include "nodes/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/row_block.hpp"
#include "nodes/require.hpp"

namespace fastaudio {

namespace {

/// The number of "p97.5"; none if it isn't one from 0 to 100.
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
  std::vector<double> mean_;
  std::vector<double> squares_;
  std::vector<float> low_;
  std::vector<float> high_;
};

/// The value below which `percent` of sorted values lie.
float percentile(const std::vector<float>& sorted, double percent) {
  const double place = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double low = sorted[below];
  const double high = sorted[std::min(below + 1, sorted.size() - 1)];
  return static_cast<float>(low + (high - low) * (place - static_cast<double>(below)));
}

class StatisticsStream final : public Stream {
 public:
  StatisticsStream(std::shared_ptr<const Statistics> node, std::size_t row_size)
      : node_(std::move(node)),
        row_size_(row_size),
        window_(node_->options().window.value_or(0)),
        hop_(node_->options().hop.value_or(static_cast<int>(window_))),
        moments_(row_size),
        block_(kinds().size() * row_size) {
    for (const std::string& kind : kinds()) percents_.push_back(percent_of(kind));
    sorts_ = std::any_of(percents_.begin(), percents_.end(), [](const auto& p) { return p.has_value(); });
    rows_.resize(static_cast<std::size_t>(window_) * row_size);
    column_.reserve(static_cast<std::size_t>(window_));
  }

 private:
  const std::vector<std::string>& kinds() const { return node_->options().kinds; }

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    if (window_ == 0 && sorts_) rows_.insert(rows_.end(), rows, rows + n_rows * row_size_);
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      ++n_;
      if (window_ == 0) {
        moments_.add(rows);
        continue;
      }
      std::copy_n(rows, row_size_, &rows_[place(n_ - 1)]);
      if (n_ >= window_ && (n_ - window_) % hop_ == 0) emit(n_ - window_, sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (n_ > 0 && (window_ == 0 || n_ < window_)) emit(0, sink);
    block_.write(sink);
  }

  std::size_t place(std::int64_t row) const {
    return static_cast<std::size_t>(window_ > 0 ? row % window_ : row) * row_size_;
  }

  /// Each window is computed anew: a running sum would remember what has left it.
  void emit(std::int64_t first, Sink& sink) {
    if (window_ > 0) {
      moments_.reset();
      for (std::int64_t t = first; t < n_; ++t) moments_.add(&rows_[place(t)]);
    }
    float* out = block_.next(sink);
    for (std::size_t i = 0; i < percents_.size(); ++i) {
      if (!percents_[i]) moments_.write(kinds()[i], out + i * row_size_);
    }
    for (std::size_t k = 0; sorts_ && k < row_size_; ++k) {
      column_.clear();
      for (std::int64_t t = first; t < n_; ++t) column_.push_back(rows_[place(t) + k]);
      std::sort(column_.begin(), column_.end());
      for (std::size_t i = 0; i < percents_.size(); ++i) {
        if (percents_[i]) out[i * row_size_ + k] = percentile(column_, *percents_[i]);
      }
    }
  }

  std::shared_ptr<const Statistics> node_;
  std::size_t row_size_;
  std::int64_t window_;  ///< 0 for the clip
  std::int64_t hop_;
  std::vector<std::optional<double>> percents_;  ///< by kind
  bool sorts_ = false;
  Moments moments_;
  std::vector<float> rows_;    ///< of the window, a ring; of the clip if percentiles need them
  std::vector<float> column_;  ///< one element of these rows
  RowBlock block_;
  std::int64_t n_ = 0;
};

}  // namespace

Statistics::Statistics(Options options) : options_(std::move(options)) {
  check_options(name, options_);
  if (options_.kinds.empty()) throw ValueError("Statistics: expected at least one of kinds, got none");
  std::set<std::string> seen;
  for (const std::string& kind : options_.kinds) {
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
  if (options_.hop && !options_.window) {
    throw ValueError("Statistics: expected a window with hop, got None; set window, or leave hop out");
  }
}

std::vector<Output> Statistics::outputs(const StreamSpec& input) const {
  const std::size_t n_kinds = options_.kinds.size();
  require_memory(name, n_kinds, input, "number of kinds");
  StreamSpec spec = input;
  if (input.shape.empty()) spec.labels = options_.kinds;
  spec.shape.insert(spec.shape.begin(), static_cast<std::int64_t>(n_kinds));
  if (!options_.window) {
    spec.rate_hz = 0;
    spec.span_s = 0;
  } else {
    const int window = *options_.window;
    require_memory(name, static_cast<std::size_t>(window), input, "window");
    if (input.rate_hz > 0) {
      spec.rate_hz = input.rate_hz / options_.hop.value_or(window);
      spec.span_s += (window - 1) / input.rate_hz;
      spec.latency_s += (window - 1) / input.rate_hz;
    }
  }
  return {{"", spec}};
}

std::optional<Locality> Statistics::locality() const {
  if (!options_.window) return std::nullopt;
  return Locality{.n_in = options_.hop.value_or(*options_.window), .after = *options_.window};
}

std::unique_ptr<Stream> Statistics::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<StatisticsStream>(keep(this), input.row_size());
}

}  // namespace fastaudio
