#include "nodes/log.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "dsp/kernels.hpp"

namespace fastaudio {

namespace {

dsp::LogPlan plan_of(const Log::Options& o) {
  dsp::LogPlan plan;
  plan.scale = static_cast<float>(o.scale);
  plan.offset = static_cast<float>(o.offset);
  plan.floor = static_cast<float>(o.floor);
  if (o.kind == "log10") plan.gain = static_cast<float>(1 / std::numbers::ln10);
  if (o.kind == "dB") {
    plan.gain = static_cast<float>(10 / std::numbers::ln10);
    plan.bias = static_cast<float>(-10 * std::log10(o.reference));
  }
  return plan;
}

class LogStream final : public Stream {
 public:
  LogStream(const Log::Options& options, std::size_t row_size)
      : plan_(plan_of(options)),
        row_size_(row_size),
        rows_at_once_(std::max<std::size_t>(1, kBlock / row_size)),
        block_(rows_at_once_ * row_size) {}

 private:
  static constexpr std::size_t kBlock = 4096;

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    while (n_rows > 0) {
      const std::size_t n = std::min(n_rows, rows_at_once_);
      float* placed = sink.extend(0, n);
      float* logs = placed != nullptr ? placed : block_.data();
      dsp::kernels().log(plan_, rows, logs, n * row_size_);
      if (placed == nullptr) sink.write(0, logs, n);
      pace_.did(n * row_size_);
      rows += n * row_size_;
      n_rows -= n;
    }
  }

  dsp::LogPlan plan_;
  std::size_t row_size_;
  std::size_t rows_at_once_;
  Buffer<float> block_;
  Pace pace_;
};

}  // namespace

std::vector<Output> Log::describe(const StreamSpec& input) const {
  if (contains(Choices{"ln log10 dB"}, input.unit)) {
    throw ValueError("Log: expected power or magnitude, got " + input.unit + "; take the logarithm once");
  }
  StreamSpec spec = input;
  spec.unit = options().kind;
  return {{"", spec}};
}

std::unique_ptr<Stream> Log::open(const StreamSpec& input) const {
  return std::make_unique<LogStream>(options(), input.row_size());
}

}  // namespace fastaudio
