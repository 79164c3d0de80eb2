#include "nodes/spectrogram.hpp"

namespace fastaudio {

Spectrogram::Spectrogram(Options o)
    : NodeOf(std::move(o)), front_(name, options(), options().power.value_or(2), !options().power) {}

std::vector<Output> Spectrogram::describe(const StreamSpec& input) const {
  std::vector<std::int64_t> shape{front_.plan().fft.n_bins};
  if (!options().power) shape.push_back(2);
  StreamSpec spec = front_.spec(input, std::move(shape));
  spec.bin_hz = front_.bin_hz();
  spec.kind = StreamSpec::Kind::spectrum;
  return {{"", spec}};
}

std::unique_ptr<Stream> Spectrogram::open(const StreamSpec& input) const {
  outputs(input);
  return front_.open(keep(this), {});
}

}  // namespace fastaudio
