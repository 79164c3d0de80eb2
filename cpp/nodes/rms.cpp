#include "nodes/rms.hpp"

#include <cmath>

#include "dsp/reduce.hpp"
#include "nodes/support/framed.hpp"

namespace fastaudio {

namespace {

Framer::Options framing_of(const RMS::Options& o) {
  const auto edge = o.pad_mode == "reflect" ? Framer::Edge::reflect : Framer::Edge::zeros;
  return framing(o.frame_length, o.hop_length, o.center, edge);
}

}  // namespace

std::vector<Output> RMS::describe(const StreamSpec& input) const {
  return framed(name, input, options().sample_rate, options().hop_length, "rms");
}

std::optional<Locality> RMS::locality() const { return Framer::locality(framing_of(options())); }

std::unique_ptr<Stream> RMS::open(const StreamSpec& input) const {
  outputs(input);
  const auto level = [n = static_cast<std::size_t>(options().frame_length)](const float* frame) {
    return static_cast<float>(std::sqrt(dsp::sum_squares(frame, n) / static_cast<double>(n)));
  };
  return stream_of_frames(level, framing_of(options()));
}

}  // namespace fastaudio
