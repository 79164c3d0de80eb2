#include "nodes/scale.hpp"

#include <algorithm>
#include <cmath>

#include "dsp/reduce.hpp"
#include "nodes/support/numbers.hpp"
#include "nodes/support/row_stream.hpp"

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

/// (x - shift) * gain, limited to [0, 1] if `clip`.
class Affine {
 public:
  Affine(std::size_t row_size, std::size_t period, bool clip)
      : shift(period), gain(period), row_size_(row_size), clip_(clip) {}

  void operator()(const float* row, float* out) const {
    const std::size_t period = shift.size();
    for (std::size_t i = 0; i < row_size_; i += period) {
      for (std::size_t k = 0; k < period; ++k) {
        out[i + k] = static_cast<float>((static_cast<double>(row[i + k]) - shift[k]) * gain[k]);
      }
    }
    if (clip_) std::transform(out, out + row_size_, out, [](float y) { return std::clamp(y, 0.0f, 1.0f); });
  }

  Numbers shift;  ///< for each place along the last axis, or one for all
  Numbers gain;

 private:
  std::size_t row_size_;
  bool clip_;
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
  Affine affine(input.row_size(), period, false);
  for (std::size_t k = 0; k < period; ++k) {
    affine.shift[k] = at(options().mean, k);
    affine.gain[k] = 1 / at(options().std, k);
  }
  return stream_of_rows(std::move(affine), input, outputs(input).front());
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
  Affine affine(input.row_size(), period, options().clip);
  for (std::size_t k = 0; k < period; ++k) {
    affine.shift[k] = at(options().min, k);
    affine.gain[k] = 1 / (at(options().max, k) - affine.shift[k]);
  }
  return stream_of_rows(std::move(affine), input, outputs(input).front());
}

std::vector<Output> L2Normalize::describe(const StreamSpec& input) const { return normalized(input); }

std::unique_ptr<Stream> L2Normalize::open(const StreamSpec& input) const {
  const auto unit = [size = input.row_size(), eps = options().eps](const float* row, float* out) {
    const double gain = 1 / std::max(std::sqrt(dsp::sum_squares(row, size)), eps);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<float>(row[i] * gain);
  };
  return stream_of_rows(unit, input, outputs(input).front());
}

}  // namespace fastaudio
