#include "nodes/log.hpp"

#include <cmath>
#include <numbers>

#include "dsp/kernels.hpp"
#include "nodes/support/row_stream.hpp"

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
  const std::size_t row_size = input.row_size();
  const auto logs = [plan = plan_of(options()), row_size](const float* rows, std::size_t n, float* out) {
    dsp::kernels().log(plan, rows, out, n * row_size);
  };
  return stream_of_blocks(logs, input, outputs(input).front(), row_size);
}

}  // namespace fastaudio
