#include "nodes/mono.hpp"

#include <algorithm>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "dsp/kernels.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

class MonoStream final : public Stream {
 public:
  explicit MonoStream(std::shared_ptr<const Mono> node) : node_(std::move(node)), block_(kBlock) {}

 private:
  static constexpr std::size_t kBlock = 16384;

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    const auto& [channels, channel] = node_->options();
    if (channels == 1) return sink.write(0, rows, n_rows);
    const auto width = static_cast<std::size_t>(channels);
    while (n_rows > 0) {
      const std::size_t n = std::min(n_rows, kBlock);
      if (channel) {
        const float* from = rows + *channel;
        for (std::size_t i = 0; i < n; ++i) block_[i] = from[i * width];
      } else {
        dsp::kernels().downmix(rows, n, channels, block_.data());
      }
      sink.write(0, block_.data(), n);
      pace_.did(n * width);
      rows += n * width;
      n_rows -= n;
    }
  }

  std::shared_ptr<const Mono> node_;
  Buffer<float> block_;
  Pace pace_;
};

}  // namespace

void Mono::check(const Options& options) {
  if (options.channel && *options.channel >= options.channels) {
    throw ValueError("Mono: expected channel below " + std::to_string(options.channels) + ", got " +
                     std::to_string(*options.channel));
  }
}

std::vector<Output> Mono::describe(const StreamSpec& input) const {
  if (input.shape != std::vector<std::int64_t>{options().channels}) {
    throw ValueError("Mono: expected rows of " + std::to_string(options().channels) + " channels, got rows " +
                     to_string(input));
  }
  return {{"", StreamSpec::samples(input.rate_hz)}};
}

std::unique_ptr<Stream> Mono::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<MonoStream>(keep(this));
}

}  // namespace fastaudio
