#include "nodes/spectrogram.hpp"

namespace fastaudio {

namespace {

Spectrogram::Options checked(Spectrogram::Options o) {
  check_options(Spectrogram::name, o);
  return o;
}

}  // namespace

Spectrogram::Spectrogram(Options options)
    : options_(checked(std::move(options))),
      front_(name, options_, options_.power.value_or(2), !options_.power) {}

std::vector<Output> Spectrogram::outputs(const StreamSpec& input) const {
  std::vector<std::int64_t> shape{front_.plan().fft.n_bins};
  if (!options_.power) shape.push_back(2);
  StreamSpec spec = front_.spec(input, std::move(shape));
  spec.bin_hz = front_.bin_hz();
  return {{"", spec}};
}

std::unique_ptr<Stream> Spectrogram::open(const StreamSpec& input) const {
  outputs(input);
  return front_.open(keep(this), {});
}

}  // namespace fastaudio
