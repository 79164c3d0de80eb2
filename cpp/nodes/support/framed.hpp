/// What nodes that make one number from each frame of samples share.
#pragma once

#include <utility>
#include <vector>

#include "core/rows/framer.hpp"
#include "core/rows/row_block.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

/// Throws ValueError unless the input is samples at `sample_rate`.
inline std::vector<Output> framed(const char* node, const StreamSpec& input, int sample_rate, int hop_length,
                                  const char* unit) {
  require_samples(node, input, sample_rate);
  StreamSpec spec;
  spec.rate_hz = sample_rate / static_cast<double>(hop_length);
  spec.shape = {1};
  spec.unit = unit;
  spec.span_s = 1 / spec.rate_hz;
  return {{"", spec}};
}

inline Framer::Options framing(int frame_length, int hop_length, bool center, Framer::Edge edge) {
  constexpr int kBatch = 64;
  const int pad = center ? frame_length / 2 : 0;
  return {frame_length, hop_length, pad, pad, edge, kBatch};
}

/// `Number` is called as number(const float* frame), and returns a float.
template <class Number>
class FrameStream final : public Stream {
 public:
  FrameStream(Number number, const Framer::Options& framing)
      : number_(std::move(number)), hop_(framing.hop), framer_(framing), block_(1) {}

 private:
  void do_push(const float* samples, std::size_t n, Sink& sink) override {
    framer_.push(samples, n, [&](const float* first, int count) { frames(first, count, sink); });
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    framer_.flush([&](const float* first, int count) { frames(first, count, sink); });
    block_.write(sink);
  }

  void frames(const float* first, int count, Sink& sink) {
    for (int i = 0; i < count; ++i, first += hop_) *block_.next(sink) = number_(first);
  }

  Number number_;
  int hop_;
  Framer framer_;
  RowBlock block_;
};

template <class Number>
std::unique_ptr<Stream> stream_of_frames(Number number, const Framer::Options& framing) {
  return std::make_unique<FrameStream<Number>>(std::move(number), framing);
}

}  // namespace fastaudio
