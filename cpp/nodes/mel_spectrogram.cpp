#include "nodes/mel_spectrogram.hpp"

namespace fastaudio {

namespace {

double upper_edge(const MelSpectrogram::Options& o) { return o.f_max.value_or(o.sample_rate / 2.0); }

MelSpectrogram::Options checked(MelSpectrogram::Options o) {
  constexpr const char* name = MelSpectrogram::name;
  check_options(name, o);
  const double nyquist = o.sample_rate / 2.0;
  const double top = upper_edge(o);
  if (top > nyquist) {
    detail::throw_outside(name, "f_max", "in " + format(Range{0, nyquist}, "Hz (sample_rate / 2)"),
                          format(top));
  }
  if (o.f_min >= top) {
    detail::throw_outside(name, "f_min", "below f_max = " + format(top) + " Hz", format(o.f_min));
  }
  const int n_bins = o.n_fft / 2 + 1;
  if (o.n_mels > n_bins) {
    detail::throw_outside(name, "n_mels", "in " + format(Range{1, double(n_bins)}, "bands (n_fft / 2 + 1)"),
                          format(o.n_mels));
  }
  return o;
}

}  // namespace

MelSpectrogram::MelSpectrogram(Options options)
    : options_(checked(std::move(options))),
      front_(name, options_, options_.power),
      filterbank_(dsp::make_mel_filterbank({.sample_rate = double(options_.sample_rate),
                                            .n_fft = options_.n_fft,
                                            .n_mels = options_.n_mels,
                                            .f_min = options_.f_min,
                                            .f_max = upper_edge(options_),
                                            .mel_scale = options_.mel_scale,
                                            .norm = options_.norm,
                                            .linear_in_mel = options_.triangles == "mel"})) {}

std::vector<Output> MelSpectrogram::outputs(const StreamSpec& input) const {
  return {{"", front_.spec(input, {options_.n_mels})}};
}

std::unique_ptr<Stream> MelSpectrogram::open(const StreamSpec& input) const {
  outputs(input);
  return front_.open(keep(this), filterbank_.plan());
}

}  // namespace fastaudio
