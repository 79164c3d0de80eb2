#include "nodes/normalize.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/budget.hpp"
#include "core/interrupt.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_block.hpp"
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
  if (o.kind == "rms") return {0, std::max(std::sqrt(dsp::sum_squares(x, n) / count), o.eps)};
  if (o.kind == "energy") return {0, std::max(std::sqrt(dsp::sum_squares(x, n)), o.eps)};
  const double low = dsp::smallest(x, n);
  const double high = dsp::largest(x, n);
  if (o.kind == "min_max") return {low, std::max(high - low, o.eps)};
  return {0, std::max({-low, high, o.eps})};
}

/// Works on all values of a row at once, or on all values of the clip. Over the clip it keeps every row until
/// flush, so its memory grows with the clip. `Apply` is called as apply(const float* values, std::size_t n),
/// and returns what changes some of these values: change(const float* values, std::size_t n, float* out),
/// where `out` may be `values`.
template <class Apply>
class RowOrClipStream final : public Stream {
 public:
  RowOrClipStream(Apply apply, bool clip, std::size_t row_size)
      : apply_(std::move(apply)), clip_(clip), row_size_(row_size), block_(row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    if (clip_) {
      kept_.insert(kept_.end(), rows, rows + n_rows * row_size_);
      return;
    }
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      float* out = block_.next(sink);
      apply_(rows, row_size_)(rows, row_size_, out);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (kept_.empty()) return;
    check_interrupt();
    const auto change = apply_(kept_.data(), kept_.size());
    check_interrupt();
    // In pieces, so that what comes next finds them in the cache.
    const std::size_t piece = std::max<std::size_t>(1, kPiece / row_size_) * row_size_;
    for (std::size_t start = 0; start < kept_.size(); start += piece) {
      const std::size_t n = std::min(piece, kept_.size() - start);
      float* values = kept_.data() + start;
      float* placed = sink.extend(0, n / row_size_);
      change(values, n, placed != nullptr ? placed : values);
      if (placed == nullptr) sink.write(0, values, n / row_size_);
      pace_.did(n);
    }
  }

  static constexpr std::size_t kPiece = 4096;

  Apply apply_;
  bool clip_;
  std::size_t row_size_;
  RowBlock block_;
  Buffer<float> kept_;
  Pace pace_;
};

template <class Apply>
std::unique_ptr<Stream> over_row_or_clip(const std::string& over, const StreamSpec& input, Apply apply) {
  return std::make_unique<RowOrClipStream<Apply>>(std::move(apply), over == "clip", input.row_size());
}

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
  return over_row_or_clip(options().over, input, [o = options()](const float* all, std::size_t n_all) {
    return [level = level_of(o, all, n_all)](const float* values, std::size_t n, float* out) {
      for (std::size_t i = 0; i < n; ++i) {
        out[i] = static_cast<float>((static_cast<double>(values[i]) - level.shift) / level.divisor);
      }
    };
  });
}

std::vector<Output> TopDb::describe(const StreamSpec& input) const {
  if (!input.unit.empty() && input.unit != "dB") {
    throw ValueError("TopDb: expected dB, got " + input.unit + "; take Log(kind='dB') first");
  }
  return {{"", waiting(input, options().over)}};
}

std::unique_ptr<Stream> TopDb::open(const StreamSpec& input) const {
  outputs(input);
  const auto limit = [top_db = static_cast<float>(options().top_db), relative = options().relative](
                         const float* all, std::size_t n_all) {
    const float highest = dsp::largest(all, n_all);
    const float base = relative ? highest : 0;
    return [base, floor = highest - base - top_db](const float* values, std::size_t n, float* out) {
      for (std::size_t i = 0; i < n; ++i) out[i] = std::max(values[i] - base, floor);
    };
  };
  return over_row_or_clip(options().over, input, limit);
}

}  // namespace fastaudio
