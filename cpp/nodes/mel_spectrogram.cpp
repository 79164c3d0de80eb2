#include "nodes/mel_spectrogram.hpp"

namespace fastaudio {

namespace {

double upper_edge(const MelSpectrogram::Options& o) { return o.f_max.value_or(o.sample_rate / 2.0); }

}  // namespace

void MelSpectrogram::check(const Options& o) {
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
}

MelSpectrogram::MelSpectrogram(Options o)
    : NodeOf(std::move(o)),
      front_(name, options(), options().power),
      filterbank_(dsp::make_mel_filterbank({.sample_rate = double(options().sample_rate),
                                            .n_fft = options().n_fft,
                                            .n_mels = options().n_mels,
                                            .f_min = options().f_min,
                                            .f_max = upper_edge(options()),
                                            .mel_scale = options().mel_scale,
                                            .norm = options().norm,
                                            .linear_in_mel = options().triangles == "mel"})) {}

std::vector<Output> MelSpectrogram::describe(const StreamSpec& input) const {
  return {{"", front_.spec(input, {options().n_mels})}};
}

std::unique_ptr<Stream> MelSpectrogram::open(const StreamSpec& input) const {
  outputs(input);
  return front_.open(keep(this), filterbank_.plan());
}

}  // namespace fastaudio
