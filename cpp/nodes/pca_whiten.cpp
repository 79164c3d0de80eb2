#include "nodes/pca_whiten.hpp"

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

class Whitened {
 public:
  explicit Whitened(std::shared_ptr<const PCAWhiten> node)
      : node_(std::move(node)), centred_(node_->options().means.size()) {}

  void operator()(const float* row, float* out) {
    const std::size_t d = centred_.size();
    for (std::size_t k = 0; k < d; ++k) centred_[k] = row[k] - node_->options().means[k];
    const double* component = node_->options().matrix.data();
    for (std::size_t i = 0; i < node_->n_components(); ++i, component += d) {
      const auto product = [&](std::size_t k) { return component[k] * centred_[k]; };
      out[i] = static_cast<float>(dsp::sum<double>(d, product));
      pace_.did(d);
    }
  }

 private:
  std::shared_ptr<const PCAWhiten> node_;
  Buffer<double> centred_;
  Pace pace_;
};

}  // namespace

void PCAWhiten::check(const Options& options) {
  const std::size_t d = options.means.size();
  if (d == 0) detail::throw_outside(name, "means", "of at least one item", "0 items");
  require_vectors(name, "matrix", options.matrix, d, "means");
}

std::string PCAWhiten::summary() const {
  return "PCAWhiten(" + std::to_string(options().means.size()) + " to " + std::to_string(n_components()) +
         ")";
}

std::vector<Output> PCAWhiten::describe(const StreamSpec& input) const {
  require_width(name, input, options().means.size(), "as there are means");
  return each_row(input, static_cast<std::int64_t>(n_components()), "normalized");
}

std::unique_ptr<Stream> PCAWhiten::open(const StreamSpec& input) const {
  const Output output = outputs(input).front();
  return stream_of_rows(Whitened(keep(this)), input, output);
}

}  // namespace fastaudio
