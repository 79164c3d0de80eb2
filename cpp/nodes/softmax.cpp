#include "nodes/softmax.hpp"

#include <algorithm>
#include <cmath>

#include "core/budget.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

class SoftmaxRow {
 public:
  SoftmaxRow(std::size_t n, std::size_t width) : n_(n), powers_(width) {}

  void operator()(const float* in, float* out) {
    for (std::size_t first = 0; first < n_; first += powers_.size()) one(in + first, out + first);
  }

 private:
  void one(const float* in, float* out) {
    const std::size_t width = powers_.size();
    const auto largest = static_cast<double>(*std::max_element(in, in + width));
    double sum = 0;
    for (std::size_t k = 0; k < width; ++k) {
      powers_[k] = std::exp(static_cast<double>(in[k]) - largest);  // never overflows
      sum += powers_[k];
    }
    for (std::size_t k = 0; k < width; ++k) out[k] = static_cast<float>(powers_[k] / sum);
  }

  std::size_t n_;
  Buffer<double> powers_;
};

}  // namespace

std::vector<Output> Softmax::describe(const StreamSpec& input) const {
  if (input.shape.empty()) {
    throw ValueError("Softmax: expected rows of several values, got " + input.unit + " " + to_string(input) +
                     "; take Sigmoid for single values");
  }
  StreamSpec spec = input;
  spec.unit = "probability";
  if (spec.kind == StreamSpec::Kind::samples) spec.kind = StreamSpec::Kind::rows;
  return {{"", spec}};
}

std::unique_ptr<Stream> Softmax::open(const StreamSpec& input) const {
  const Output output = outputs(input).front();
  return stream_of_rows(SoftmaxRow(input.row_size(), static_cast<std::size_t>(input.shape.back())), input,
                        output);
}

}  // namespace fastaudio
