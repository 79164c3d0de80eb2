#include "nodes/sigmoid.hpp"

#include <cmath>

#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

struct SigmoidRow {
  std::size_t n;
  void operator()(const float* in, float* out) const {
    for (std::size_t k = 0; k < n; ++k) {
      const double decay = std::exp(-std::abs(static_cast<double>(in[k])));  // never overflows
      out[k] = static_cast<float>((in[k] < 0 ? decay : 1) / (1 + decay));
    }
  }
};

}  // namespace

std::vector<Output> Sigmoid::describe(const StreamSpec& input) const {
  StreamSpec spec = input;
  spec.unit = "probability";
  if (spec.kind == StreamSpec::Kind::samples) spec.kind = StreamSpec::Kind::rows;
  return {{"", spec}};
}

std::unique_ptr<Stream> Sigmoid::open(const StreamSpec& input) const {
  return stream_of_rows(SigmoidRow{input.row_size()}, input, outputs(input).front());
}

}  // namespace fastaudio
