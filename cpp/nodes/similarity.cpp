#include "nodes/similarity.hpp"

#include <algorithm>
#include <cmath>

#include "core/rows/pace.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

class Cosines {
 public:
  explicit Cosines(std::shared_ptr<const Similarity> node) : node_(std::move(node)) {}

  void operator()(const float* row, float* out) {
    const std::size_t d = node_->dimension();
    const double norm = std::sqrt(dsp::sum_squares(row, d));
    const double* vector = node_->unit_bank().data();
    for (std::size_t i = 0; i < node_->options().labels.size(); ++i, vector += d) {
      const auto product = [&](std::size_t k) { return vector[k] * row[k]; };
      const double cosine = norm > 0 ? dsp::sum<double>(d, product) / norm : 0.0;
      out[i] = static_cast<float>(std::clamp(cosine, -1.0, 1.0));
      pace_.did(d);
    }
  }

 private:
  std::shared_ptr<const Similarity> node_;
  Pace pace_;
};

}  // namespace

void Similarity::check(const Options& options) {
  require_labels(name, options.labels);
  require_vectors(name, "bank", options.bank, options.labels.size(), "labels");
}

Similarity::Similarity(Options o) : NodeOf(std::move(o)), unit_bank_(options().bank) {
  const std::size_t d = dimension();
  for (std::size_t at = 0; at < unit_bank_.size(); at += d) {
    double* vector = &unit_bank_[at];
    const double norm = std::sqrt(dsp::sum<double>(d, [&](std::size_t k) { return vector[k] * vector[k]; }));
    for (std::size_t k = 0; k < d; ++k) vector[k] = norm > 0 ? vector[k] / norm : 0.0;
  }
}

std::string Similarity::summary() const {
  return "Similarity(" + std::to_string(options().labels.size()) + " labels)";
}

std::vector<Output> Similarity::describe(const StreamSpec& input) const {
  require_width(name, input, dimension(), "as the bank's vectors have");
  auto cosines = each_row(input, static_cast<std::int64_t>(options().labels.size()), "cosine");
  cosines.front().spec.set_labels(options().labels);
  return cosines;
}

std::unique_ptr<Stream> Similarity::open(const StreamSpec& input) const {
  const Output output = outputs(input).front();
  return stream_of_rows(Cosines(keep(this)), input, output);
}

}  // namespace fastaudio
