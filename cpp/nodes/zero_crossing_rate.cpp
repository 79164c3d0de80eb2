#include "nodes/zero_crossing_rate.hpp"

#include "nodes/support/framed.hpp"

namespace fastaudio {

std::vector<Output> ZeroCrossingRate::describe(const StreamSpec& input) const {
  return framed(name, input, options().sample_rate, options().hop_length, "share");
}

std::unique_ptr<Stream> ZeroCrossingRate::open(const StreamSpec& input) const {
  outputs(input);
  const Options& o = options();
  const auto rate = [n = o.frame_length, negative = -static_cast<float>(o.threshold)](const float* frame) {
    int crossings = 0;
    for (int k = 1; k < n; ++k) crossings += (frame[k] < negative) != (frame[k - 1] < negative);
    return static_cast<float>(static_cast<double>(crossings) / n);
  };
  return stream_of_frames(rate, framing(o.frame_length, o.hop_length, o.center, Framer::Edge::hold));
}

}  // namespace fastaudio
