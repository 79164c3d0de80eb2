#include "nodes/scale.hpp"

#include <algorithm>
#include <cmath>

#include "core/rows/row_block.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/numbers.hpp"

namespace fastaudio {

namespace {

/// Throws unless both lists have one item, or as many as each other.
void check_lengths(const char* node, const char* a_name, const Numbers& a, const char* b_name,
                   const Numbers& b) {
  const auto refuse = [&](const char* name, const char* expected, std::size_t got) {
    detail::throw_outside(node, name, expected, std::to_string(got) + " items");
  };
  if (a.empty()) refuse(a_name, "of at least one item", 0);
  if (b.empty()) refuse(b_name, "of at least one item", 0);
  if (a.size() == 1 || b.size() == 1 || a.size() == b.size()) return;
  refuse(b_name, ("of one item, or of " + std::to_string(a.size()) + " as " + a_name).c_str(), b.size());
}

/// How many items there are, one for each value along the last axis; or 1, which serves all. Throws if rows
/// have another number of values.
std::size_t period_of(const char* node, const Numbers& a, const Numbers& b, const StreamSpec& input) {
  const std::size_t period = std::max(a.size(), b.size());
  if (period == 1) return 1;
  if (!input.shape.empty() && input.shape.back() == static_cast<std::int64_t>(period)) return period;
  throw ValueError(std::string(node) + ": expected rows of " + std::to_string(period) +
                   " along the last axis, got rows " + to_string(input) + "; give one number for each");
}

std::string counted(const char* node, const Numbers& a, const Numbers& b, const std::string& repr) {
  const std::size_t n = std::max(a.size(), b.size());
  return n == 1 ? repr : std::string(node) + "(" + std::to_string(n) + " bands)";
}

std::vector<Output> normalized(const StreamSpec& input) {
  StreamSpec spec = input;
  spec.unit = "normalized";
  return {{"", spec}};
}

/// (x - shift) * gain, within [low, high].
class AffineStream final : public Stream {
 public:
  AffineStream(std::size_t row_size, Numbers shift, Numbers gain, bool clip)
      : shift_(std::move(shift)),
        gain_(std::move(gain)),
        clip_(clip),
        row_size_(row_size),
        block_(row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    const std::size_t period = shift_.size();
    for (; n_rows > 0; --n_rows) {
      float* out = block_.next(sink);
      for (std::size_t i = 0; i < row_size_; i += period) {
        for (std::size_t k = 0; k < period; ++k) {
          const double y = (static_cast<double>(rows[i + k]) - shift_[k]) * gain_[k];
          out[i + k] = static_cast<float>(y);
        }
      }
      if (clip_) std::transform(out, out + row_size_, out, [](float y) { return std::clamp(y, 0.0f, 1.0f); });
      rows += row_size_;
    }
    block_.write(sink);
  }

  Numbers shift_;
  Numbers gain_;
  bool clip_;
  std::size_t row_size_;
  RowBlock block_;
};

class UnitStream final : public Stream {
 public:
  UnitStream(std::size_t row_size, double eps) : eps_(eps), row_size_(row_size), block_(row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows) {
      const double gain = 1 / std::max(std::sqrt(dsp::sum_squares(rows, row_size_)), eps_);
      float* out = block_.next(sink);
      for (std::size_t i = 0; i < row_size_; ++i) out[i] = static_cast<float>(rows[i] * gain);
      rows += row_size_;
    }
    block_.write(sink);
  }

  double eps_;
  std::size_t row_size_;
  RowBlock block_;
};

}  // namespace

void Standardize::check(const Options& options) {
  check_lengths(name, "mean", options.mean, "std", options.std);
}

std::string Standardize::summary() const {
  return counted(name, options().mean, options().std, Node::summary());
}

std::vector<Output> Standardize::describe(const StreamSpec& input) const {
  period_of(name, options().mean, options().std, input);
  return normalized(input);
}

std::unique_ptr<Stream> Standardize::open(const StreamSpec& input) const {
  const std::size_t period = period_of(name, options().mean, options().std, input);
  Numbers shift(period);
  Numbers gain(period);
  for (std::size_t k = 0; k < period; ++k) {
    shift[k] = at(options().mean, k);
    gain[k] = 1 / at(options().std, k);
  }
  return std::make_unique<AffineStream>(input.row_size(), std::move(shift), std::move(gain), false);
}

void MinMaxScale::check(const Options& options) {
  constexpr double kNarrowest = 1e-12;  // keeps the output finite
  check_lengths(name, "min", options.min, "max", options.max);
  for (std::size_t k = 0; k < std::max(options.min.size(), options.max.size()); ++k) {
    const double low = at(options.min, k);
    const double high = at(options.max, k);
    if (high - low >= kNarrowest) continue;
    detail::throw_outside(name, "max", "at least 1e-12 above min = " + format(low), format(high));
  }
}

std::string MinMaxScale::summary() const {
  return counted(name, options().min, options().max, Node::summary());
}

std::vector<Output> MinMaxScale::describe(const StreamSpec& input) const {
  period_of(name, options().min, options().max, input);
  return normalized(input);
}

std::unique_ptr<Stream> MinMaxScale::open(const StreamSpec& input) const {
  const std::size_t period = period_of(name, options().min, options().max, input);
  Numbers shift(period);
  Numbers gain(period);
  for (std::size_t k = 0; k < period; ++k) {
    shift[k] = at(options().min, k);
    gain[k] = 1 / (at(options().max, k) - shift[k]);
  }
  return std::make_unique<AffineStream>(input.row_size(), std::move(shift), std::move(gain), options().clip);
}

std::vector<Output> L2Normalize::describe(const StreamSpec& input) const { return normalized(input); }

std::unique_ptr<Stream> L2Normalize::open(const StreamSpec& input) const {
  return std::make_unique<UnitStream>(input.row_size(), options().eps);
}

}  // namespace fastaudio
