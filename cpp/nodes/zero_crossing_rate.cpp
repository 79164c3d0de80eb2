#include "nodes/zero_crossing_rate.hpp"

#include <algorithm>

#include "core/rows/framer.hpp"
#include "core/rows/row_block.hpp"
#include "nodes/support/framed.hpp"

namespace fastaudio {

namespace {

constexpr int kBatch = 64;

class ZeroCrossingRateStream final : public Stream {
 public:
  explicit ZeroCrossingRateStream(const ZeroCrossingRate::Options& o)
      : length_(o.frame_length),
        hop_(o.hop_length),
        negative_(-static_cast<float>(o.threshold)),
        edge_(static_cast<std::size_t>(o.center ? o.frame_length / 2 : 0)),
        framer_({o.frame_length, o.hop_length, 0, 0, Framer::Edge::zeros, kBatch}),
        block_(1) {}

 private:
  void do_push(const float* samples, std::size_t n, Sink& sink) override {
    if (n == 0) return;
    if (!started_) pad(samples[0], sink);
    started_ = true;
    last_ = samples[n - 1];
    feed(samples, n, sink);
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    if (started_) pad(last_, sink);
    framer_.flush([&](const float* first, int count) { frames(first, count, sink); });
    block_.write(sink);
  }

  void pad(float value, Sink& sink) {
    std::fill(edge_.begin(), edge_.end(), value);
    feed(edge_.data(), edge_.size(), sink);
  }

  void feed(const float* samples, std::size_t n, Sink& sink) {
    framer_.push(samples, n, [&](const float* first, int count) { frames(first, count, sink); });
  }

  void frames(const float* first, int count, Sink& sink) {
    for (int i = 0; i < count; ++i, first += hop_) {
      int crossings = 0;
      for (int k = 1; k < length_; ++k) crossings += (first[k] < negative_) != (first[k - 1] < negative_);
      *block_.next(sink) = static_cast<float>(static_cast<double>(crossings) / length_);
    }
  }

  int length_;
  int hop_;
  float negative_;  ///< samples below it are negative
  std::vector<float> edge_;
  Framer framer_;
  RowBlock block_;
  bool started_ = false;
  float last_ = 0;
};

}  // namespace

std::vector<Output> ZeroCrossingRate::describe(const StreamSpec& input) const {
  return framed(name, input, options().sample_rate, options().hop_length, "share");
}

std::unique_ptr<Stream> ZeroCrossingRate::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<ZeroCrossingRateStream>(options());
}

}  // namespace fastaudio
