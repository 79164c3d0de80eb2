#include "nodes/normalize.hpp"

#include <cmath>
#include <limits>

#include "core/rows/row_or_clip.hpp"
#include "dsp/reduce.hpp"

namespace fastaudio {

namespace {

/// y = (x - shift) / divisor
struct Level {
  double shift = 0;
  double divisor = 1;
};

Level level_of(const Normalize::Options& o, const float* x, std::size_t n) {
  const auto count = static_cast<double>(n);
  if (o.kind == "mean") return {dsp::sum(x, n) / count, 1};
  if (o.kind == "standard") {
    const double mean = dsp::sum(x, n) / count;
    const auto square = [mean](double v) { return (v - mean) * (v - mean); };
    return {mean, std::max(std::sqrt(dsp::sum_of(x, n, square) / count), o.eps)};
  }
  const double low = dsp::smallest(x, n);
  const double high = dsp::largest(x, n);
  if (o.kind == "min_max") return {low, std::max(high - low, o.eps)};
  return {0, std::max({-low, high, o.eps})};
}

class NormalizeStream final : public RowOrClipStream {
 public:
  NormalizeStream(const Normalize::Options& options, std::size_t row_size)
      : RowOrClipStream(options.over == "clip", row_size), options_(options) {}

 private:
  void apply(float* values, std::size_t n) const override {
    const Level level = level_of(options_, values, n);
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = static_cast<float>((static_cast<double>(values[i]) - level.shift) / level.divisor);
    }
  }

  Normalize::Options options_;
};

class TopDbStream final : public RowOrClipStream {
 public:
  TopDbStream(const TopDb::Options& options, std::size_t row_size)
      : RowOrClipStream(options.over == "clip", row_size),
        top_db_(static_cast<float>(options.top_db)),
        relative_(options.relative) {}

 private:
  void apply(float* values, std::size_t n) const override {
    const float highest = dsp::largest(values, n);
    const float base = relative_ ? highest : 0;
    const float floor = highest - base - top_db_;
    for (std::size_t i = 0; i < n; ++i) values[i] = std::max(values[i] - base, floor);
  }

  float top_db_;
  bool relative_;
};

StreamSpec waiting(StreamSpec spec, const std::string& over) {
  if (over == "clip" && !spec.once()) spec.latency_s = std::numeric_limits<double>::infinity();
  return spec;
}

}  // namespace

std::vector<Output> Normalize::describe(const StreamSpec& input) const {
  StreamSpec spec = waiting(input, options().over);
  if (options().kind != "mean") spec.unit = "normalized";
  return {{"", spec}};
}

std::unique_ptr<Stream> Normalize::open(const StreamSpec& input) const {
  return std::make_unique<NormalizeStream>(options(), input.row_size());
}

std::vector<Output> TopDb::describe(const StreamSpec& input) const {
  if (!input.unit.empty() && input.unit != "dB") {
    throw ValueError("TopDb: expected dB, got " + input.unit + "; take Log(kind='dB') first");
  }
  return {{"", waiting(input, options().over)}};
}

std::unique_ptr<Stream> TopDb::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<TopDbStream>(options(), input.row_size());
}

}  // namespace fastaudio
