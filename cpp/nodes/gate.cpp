#include "nodes/gate.hpp"

#include <algorithm>
#include <cmath>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_block.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

/// At least 1, and at most 2**40, which no memory holds.
std::int64_t window_of(const Gate::Options& o, const StreamSpec& input) {
  return std::max<std::int64_t>(1, std::llround(std::min(o.window_s * input.rate_hz, 0x1p40)));
}

class GateStream final : public Stream {
 public:
  GateStream(const Gate::Options& o, const StreamSpec& input)
      : opens_(std::pow(10, o.threshold_db / 10)),
        stays_(std::pow(10, (o.threshold_db - o.hysteresis_db) / 10)),
        hold_(std::llround(std::min(o.hold_s * input.rate_hz, 0x1p40))),
        value_(static_cast<float>(o.value)),
        mark_(o.mark),
        power_(input.unit == "power"),
        decibels_(input.unit == "dB"),
        size_(input.row_size()),
        window_(static_cast<std::size_t>(window_of(o, input)) * size_),
        block_(o.mark ? 1 : size_) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += size_) {
      std::copy_n(rows, size_, &window_[n_ * size_]);
      sum_ += power_of(rows);
      if (++n_ * size_ == window_.size()) decide(sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (n_ > 0) decide(sink);
    block_.write(sink);
  }

  double power_of(const float* row) const {
    if (power_) return dsp::sum(row, size_);
    if (decibels_) return dsp::sum_of(row, size_, [](double v) { return std::pow(10, v / 10); });
    return dsp::sum_squares(row, size_);
  }

  void decide(Sink& sink) {
    const double level = sum_ / static_cast<double>(n_ * size_);
    if (level >= opens_ || (open_ && level >= stays_)) {
      open_ = true;
      quiet_ = 0;
    } else {
      quiet_ += static_cast<std::int64_t>(n_);
      open_ = open_ && quiet_ <= hold_;
    }
    for (std::size_t i = 0; i < n_; ++i) {
      float* out = block_.next(sink);
      if (mark_) {
        *out = open_ ? 1.0f : 0.0f;
      } else if (open_) {
        std::copy_n(&window_[i * size_], size_, out);
      } else {
        std::fill_n(out, size_, value_);
      }
      pace_.did(size_);
    }
    sum_ = 0;
    n_ = 0;
  }

  double opens_;  ///< as power
  double stays_;
  std::int64_t hold_;  ///< rows
  float value_;
  bool mark_;
  bool power_;
  bool decibels_;
  std::size_t size_;
  Buffer<float> window_;
  RowBlock block_;
  Pace pace_;
  std::size_t n_ = 0;  ///< rows in the window
  double sum_ = 0;     ///< of their power
  bool open_ = false;
  std::int64_t quiet_ = 0;  ///< rows since the last window that was loud enough
};

}  // namespace

std::vector<Output> Gate::describe(const StreamSpec& input) const {
  if (input.unit == "log10" || input.unit == "ln") {
    throw ValueError("Gate: expected samples, power, magnitudes or dB, got " + input.unit +
                     "; put Gate before Log, or take Log(kind='dB')");
  }
  const std::int64_t window = window_of(options(), input);
  require_memory(name, static_cast<std::size_t>(window), input, "window_s");
  auto outputs = options().mark ? each_row(input, 1, "open") : std::vector<Output>{{"", input}};
  StreamSpec& spec = outputs.front().spec;
  if (!input.once()) spec.latency_s += static_cast<double>(window - 1) / input.rate_hz;
  return outputs;
}

std::unique_ptr<Stream> Gate::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<GateStream>(options(), input);
}

}  // namespace fastaudio
