#include "nodes/spectral_contrast.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/budget.hpp"
#include "nodes/support/row_stream.hpp"
#include "nodes/support/spectrum_rows.hpp"

namespace fastaudio {

namespace {

struct Band {
  std::size_t first;
  std::size_t n_bins;
  std::size_t n_extreme;  ///< how many bins make the peak, and the valley
};

/// librosa's rules: bins on an edge belong to both bands; every band but the first begins one bin below its
/// edge; every band but the last loses its highest bin after `quantile` of its bins was counted.
Buffer<Band> bands_of(const SpectralContrast::Options& o, const StreamSpec& input) {
  constexpr const char* name = SpectralContrast::name;
  const auto n_bins = static_cast<std::size_t>(input.shape.front());
  const auto hz = [&](std::size_t k) { return static_cast<double>(k) * input.bin_hz; };
  const double top = hz(n_bins - 1);
  const double last_edge = o.f_min * std::pow(2, o.n_bands - 1);
  if (last_edge >= top) {
    throw ValueError(std::string(name) + ": expected the last band to begin below " + format(top) +
                     " Hz, half the sample rate, got " + format(last_edge) + "; lower f_min or n_bands");
  }
  Buffer<Band> bands;
  double low = 0;
  double high = o.f_min;
  std::size_t first = 0;
  for (int b = 0; b <= o.n_bands; ++b, low = high, high *= 2) {
    while (hz(first) < low) ++first;
    std::size_t end = first;
    while (end < n_bins && hz(end) <= high) ++end;
    if (end < first + (b == 0 ? 2 : 1)) {
      throw ValueError(std::string(name) + ": expected bins in every band, got none from " + format(low) +
                       " to " + format(high) + " Hz, bins being " + format(input.bin_hz) +
                       " Hz apart; take a longer n_fft or a higher f_min");
    }
    Band band{first, end - first, 0};
    if (b > 0) {
      --band.first;
      ++band.n_bins;
    }
    if (b == o.n_bands) band.n_bins = n_bins - band.first;
    const double extreme = std::nearbyint(o.quantile * static_cast<double>(band.n_bins));
    if (b < o.n_bands) --band.n_bins;
    band.n_extreme = std::clamp<std::size_t>(static_cast<std::size_t>(extreme), 1, band.n_bins);
    bands.push_back(band);
  }
  return bands;
}

/// Mean of the first n of `values` in the order of `less`. Reorders them.
template <class Less>
double extreme(Buffer<float>& values, const Band& band, Less less) {
  const auto begin = values.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(band.n_bins);
  const auto n = static_cast<std::ptrdiff_t>(band.n_extreme);
  if (n == 1) return static_cast<double>(*std::min_element(begin, end, less));
  if (begin + n != end) std::nth_element(begin, begin + n, end, less);
  double total = 0;
  std::for_each(begin, begin + n, [&](float value) { total += static_cast<double>(value); });
  return total / static_cast<double>(n);
}

class Contrast {
 public:
  Contrast(const SpectralContrast::Options& options, Buffer<Band> bands)
      : bands_(std::move(bands)),
        linear_(options.linear),
        with_peak_(options.part != "valley"),
        with_valley_(options.part != "peak") {
    std::size_t longest = 0;
    for (const Band& band : bands_) longest = std::max(longest, band.n_bins);
    values_.resize(longest);
  }

  void operator()(const float* row, float* out) {
    for (std::size_t b = 0; b < bands_.size(); ++b) {
      const Band& band = bands_[b];
      std::copy_n(row + band.first, band.n_bins, values_.begin());
      const double valley = with_valley_ ? level(extreme(values_, band, std::less<>{})) : 0;
      const double peak = with_peak_ ? level(extreme(values_, band, std::greater<>{})) : 0;
      out[b] = static_cast<float>(with_peak_ ? peak - valley : valley);
    }
  }

 private:
  double level(double value) const { return linear_ ? value : 10 * std::log10(std::max(1e-10, value)); }

  Buffer<Band> bands_;
  bool linear_;
  bool with_peak_;
  bool with_valley_;
  Buffer<float> values_;
};

}  // namespace

std::vector<Output> SpectralContrast::describe(const StreamSpec& input) const {
  require_spectrum(name, input, "magnitude");
  require_frequencies(name, input);
  bands_of(options(), input);
  return each_row(input, options().n_bands + 1, options().linear ? "magnitude" : "dB");
}

std::unique_ptr<Stream> SpectralContrast::open(const StreamSpec& input) const {
  const auto output = outputs(input).front();
  return stream_of_rows(Contrast(options(), bands_of(options(), input)), input, output);
}

}  // namespace fastaudio
