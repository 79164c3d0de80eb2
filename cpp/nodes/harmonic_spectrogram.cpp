#include "nodes/harmonic_spectrogram.hpp"

namespace fastaudio {

namespace {

int levels_of(const HarmonicSpectrogram::Options& o) {
  return dsp::harmonic_levels(o.sample_rate, o.n_harmonic, o.semitone_scale);
}

}  // namespace

void HarmonicSpectrogram::check(const Options& o) {
  const int levels = levels_of(o);
  if (levels < 1) {
    throw ValueError(std::string(name) +
                     ": expected room for a note above C1 below sample_rate / (2 n_harmonic) = " +
                     format(o.sample_rate / (2.0 * o.n_harmonic)) + " Hz, got none; use fewer harmonics");
  }
  const std::size_t n = o.q.size();
  const auto harmonics = static_cast<std::size_t>(o.n_harmonic);
  const std::size_t filters = harmonics * static_cast<std::size_t>(levels);
  if (n != 1 && n != harmonics && n != filters) {
    throw ValueError(std::string(name) + ": expected q to hold 1, " + std::to_string(harmonics) + " or " +
                     std::to_string(filters) + " numbers, got " + std::to_string(n) +
                     "; one for all, one per harmonic, or one per filter");
  }
}

HarmonicSpectrogram::HarmonicSpectrogram(Options o)
    : NodeOf(std::move(o)),
      front_(name, options(), options().power),
      filterbank_(dsp::make_harmonic_filterbank({.sample_rate = double(options().sample_rate),
                                                 .n_fft = options().n_fft,
                                                 .n_harmonic = options().n_harmonic,
                                                 .semitone_scale = options().semitone_scale,
                                                 .q = options().q})) {}

std::vector<Output> HarmonicSpectrogram::describe(const StreamSpec& input) const {
  return {{"", front_.spec(input, {options().n_harmonic, levels_of(options())})}};
}

std::unique_ptr<Stream> HarmonicSpectrogram::open(const StreamSpec& input) const {
  outputs(input);
  return front_.open(keep(this), filterbank_.plan());
}

}  // namespace fastaudio
