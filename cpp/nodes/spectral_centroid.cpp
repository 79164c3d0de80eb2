#include "nodes/spectral_centroid.hpp"

#include <cmath>
#include <limits>

#include "core/budget.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/row_stream.hpp"
#include "nodes/support/spectrum_rows.hpp"

namespace fastaudio {

namespace {

/// Frequencies of the bins, and what both nodes compute of a row.
class Centroid {
 public:
  explicit Centroid(const StreamSpec& input) : hz_(input.row_size()) {
    for (std::size_t k = 0; k < hz_.size(); ++k) hz_[k] = static_cast<double>(k) * input.bin_hz;
  }

  std::size_t n_bins() const { return hz_.size(); }
  double hz(std::size_t k) const { return hz_[k]; }

  /// Divisor of the magnitudes. A row that is all but zero stays the same; librosa does so too.
  double length(const float* row) const {
    const double total = dsp::sum<double>(n_bins(), [&](std::size_t k) { return magnitude(row[k]); });
    return total < static_cast<double>(std::numeric_limits<float>::min()) ? 1 : total;
  }

  double centre(const float* row, double length) const {
    return dsp::sum<double>(n_bins(), [&](std::size_t k) { return hz_[k] * magnitude(row[k]); }) / length;
  }

 private:
  Buffer<double> hz_;
};

class Bandwidth {
 public:
  Bandwidth(const SpectralBandwidth::Options& options, const StreamSpec& input)
      : options_(options), centroid_(input) {}

  void operator()(const float* row, float* out) const {
    const double length = centroid_.length(row);
    const double centre = centroid_.centre(row, length);
    const double scale = options_.norm ? 1 / length : 1;
    if (options_.p == 2) {
      const double total = weigh(row, centre, [](double d) { return d * d; });
      *out = static_cast<float>(std::sqrt(total * scale));
      return;
    }
    const double total = weigh(row, centre, [p = options_.p](double d) { return std::pow(std::abs(d), p); });
    *out = static_cast<float>(std::pow(total * scale, 1 / options_.p));
  }

 private:
  template <class Weight>
  double weigh(const float* row, double centre, Weight weight) const {
    return dsp::sum<double>(centroid_.n_bins(), [&](std::size_t k) {
      return magnitude(row[k]) * weight(centroid_.hz(k) - centre);
    });
  }

  SpectralBandwidth::Options options_;
  Centroid centroid_;
};

}  // namespace

std::vector<Output> SpectralCentroid::describe(const StreamSpec& input) const {
  require_spectrum(name, input, "magnitude");
  require_frequencies(name, input);
  return each_row(input, 1, "Hz");
}

std::unique_ptr<Stream> SpectralCentroid::open(const StreamSpec& input) const {
  const auto row = [centroid = Centroid(input)](const float* in, float* out) {
    *out = static_cast<float>(centroid.centre(in, centroid.length(in)));
  };
  return stream_of_rows(row, input, outputs(input).front());
}

std::vector<Output> SpectralBandwidth::describe(const StreamSpec& input) const {
  require_spectrum(name, input, "magnitude");
  require_frequencies(name, input);
  return each_row(input, 1, options().norm ? "Hz" : "");
}

std::unique_ptr<Stream> SpectralBandwidth::open(const StreamSpec& input) const {
  return stream_of_rows(Bandwidth(options(), input), input, outputs(input).front());
}

}  // namespace fastaudio
