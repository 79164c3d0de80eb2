#include "nodes/rms.hpp"

#include <cmath>

#include "core/rows/framer.hpp"
#include "core/rows/row_block.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/framed.hpp"

namespace fastaudio {

namespace {

constexpr int kBatch = 64;

Framer::Options framing(const RMS::Options& o) {
  const int pad = o.center ? o.frame_length / 2 : 0;
  const auto edge = o.pad_mode == "reflect" ? Framer::Edge::reflect : Framer::Edge::zeros;
  return {o.frame_length, o.hop_length, pad, pad, edge, kBatch};
}

class RMSStream final : public Stream {
 public:
  explicit RMSStream(const RMS::Options& o)
      : length_(static_cast<std::size_t>(o.frame_length)),
        hop_(o.hop_length),
        framer_(framing(o)),
        block_(1) {}

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
    for (int i = 0; i < count; ++i, first += hop_) {
      const double power = dsp::sum_squares(first, length_) / static_cast<double>(length_);
      *block_.next(sink) = static_cast<float>(std::sqrt(power));
    }
  }

  std::size_t length_;
  int hop_;
  Framer framer_;
  RowBlock block_;
};

}  // namespace

std::vector<Output> RMS::describe(const StreamSpec& input) const {
  return framed(name, input, options().sample_rate, options().hop_length, "rms");
}

std::optional<Locality> RMS::locality() const { return Framer::locality(framing(options())); }

std::unique_ptr<Stream> RMS::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<RMSStream>(options());
}

}  // namespace fastaudio
