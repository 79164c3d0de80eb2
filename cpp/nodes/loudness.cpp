#include "nodes/loudness.hpp"

#include <algorithm>
#include <cmath>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_block.hpp"
#include "dsp/k_weighting.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

constexpr double kOffset_lu = -0.691;  // of the standard: a sine of 997 Hz has its level in dB
constexpr double kAbsolute_lufs = -70;
constexpr double kRelative = 0.1;  // 10 LU below

double lufs_of(double energy) { return 10 * std::log10(energy) + kOffset_lu; }

int samples_per_step(int sample_rate) { return (sample_rate + 5) / 10; }

/// Steps of 100 ms in a window.
int steps_of(const std::string& kind) { return kind == "short_term" ? 30 : 4; }

Buffer<double> weights_of(const Loudness::Options& o) {
  if (!o.weights.empty()) return {o.weights.begin(), o.weights.end()};
  constexpr double kSide = 1.41;
  switch (o.channels) {
    case 4:
      return {1, 1, kSide, kSide};
    case 5:
      return {1, 1, 1, kSide, kSide};
    case 6:
      return {1, 1, 1, 0, kSide, kSide};
    default:
      return Buffer<double>(static_cast<std::size_t>(o.channels), 1);
  }
}

/// The blocks above the absolute threshold, in classes of loudness: memory stays the same for days of sound.
class GatedBlocks {
 public:
  GatedBlocks() : energies_(kClasses), counts_(kClasses) {}

  void add(double energy) {
    const double above = lufs_of(energy) - kAbsolute_lufs;
    if (!(above >= 0)) return;
    const auto k = static_cast<std::size_t>(std::min(above * kPerLu, kClasses - 1.0));
    energies_[k] += energy;
    counts_[k] += 1;
  }

  /// The mean energy of the blocks above the relative threshold; 0 if there are none.
  double energy() const { return mean_from(kRelative * mean_from(0)); }

 private:
  static constexpr double kPerLu = 100;
  static constexpr std::size_t kClasses = 10000;  // up to 30 LUFS; the last one holds what is louder

  double mean_from(double threshold) const {
    double sum = 0;
    double count = 0;
    for (std::size_t k = 0; k < kClasses; ++k) {
      if (counts_[k] == 0 || energies_[k] / counts_[k] < threshold) continue;
      sum += energies_[k];
      count += counts_[k];
    }
    return count > 0 ? sum / count : 0;
  }

  Buffer<double> energies_;  ///< sums
  Buffer<double> counts_;    ///< whole numbers
};

class LoudnessStream final : public Stream {
 public:
  explicit LoudnessStream(const Loudness::Options& o)
      : filter_(o.sample_rate),
        weights_(weights_of(o)),
        states_(weights_.size()),
        sums_(weights_.size()),
        step_(static_cast<std::size_t>(samples_per_step(o.sample_rate))),
        steps_(static_cast<std::size_t>(steps_of(o.kind))),
        integrated_(o.kind == "integrated"),
        floor_(o.floor_lufs),
        block_(1) {
    if (integrated_) gated_.emplace();
  }

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    const std::size_t width = weights_.size();
    while (n_rows > 0) {
      const std::size_t n = std::min(n_rows, step_ - n_open_);
      for (std::size_t c = 0; c < width; ++c) {
        if (weights_[c] > 0) measure(rows + c, n, c);
      }
      n_open_ += n;
      if (n_open_ == step_) close_step(sink);
      pace_.did(n * width);
      rows += n * width;
      n_rows -= n;
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    const std::size_t n_samples = n_steps_ * step_ + n_open_;
    if (n_samples == 0) return;
    if (n_steps_ < steps_.size()) {  // no window is whole
      double sum = open_sum();
      for (std::size_t i = 0; i < n_steps_; ++i) sum += steps_[i];
      take(sum / static_cast<double>(n_samples), sink);
    }
    if (integrated_) write(gated_->energy(), sink);
    block_.write(sink);
  }

  void measure(const float* samples, std::size_t n, std::size_t channel) {
    const std::size_t width = weights_.size();
    dsp::KWeighting::State state = states_[channel];
    double sum = sums_[channel];
    for (std::size_t i = 0; i < n; ++i) {
      const double y = filter_(static_cast<double>(samples[i * width]), state);
      sum += y * y;
    }
    states_[channel] = state;
    sums_[channel] = sum;
  }

  double open_sum() const {
    double sum = 0;
    for (std::size_t c = 0; c < weights_.size(); ++c) sum += weights_[c] * sums_[c];
    return sum;
  }

  void close_step(Sink& sink) {
    steps_[n_steps_++ % steps_.size()] = open_sum();
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (auto& state : states_) dsp::KWeighting::settle(state);
    n_open_ = 0;
    if (n_steps_ < steps_.size()) return;
    double sum = 0;  // anew each time: a running sum would keep the rounding errors of loud sound
    for (std::size_t i = 0; i < steps_.size(); ++i) sum += steps_[(n_steps_ + i) % steps_.size()];
    take(sum / static_cast<double>(steps_.size() * step_), sink);
  }

  void take(double energy, Sink& sink) {
    if (integrated_) return gated_->add(energy);
    write(energy, sink);
  }

  void write(double energy, Sink& sink) {
    *block_.next(sink) = static_cast<float>(std::max(lufs_of(energy), floor_));
  }

  dsp::KWeighting filter_;
  Buffer<double> weights_;
  Buffer<dsp::KWeighting::State> states_;
  Buffer<double> sums_;   ///< of squares, of each channel in the step that goes on
  std::size_t step_;      ///< samples in 100 ms
  Buffer<double> steps_;  ///< sums of the last steps, over the channels
  bool integrated_;
  double floor_;
  std::optional<GatedBlocks> gated_;
  RowBlock block_;
  Pace pace_;
  std::size_t n_open_ = 0;   ///< samples in the step that goes on
  std::size_t n_steps_ = 0;  ///< that are whole
};

}  // namespace

void Loudness::check(const Options& options) {
  const auto n = static_cast<std::size_t>(options.channels);
  if (options.weights.size() == n || (options.weights.empty() && n <= 6)) return;
  detail::throw_outside(name, "weights", "of " + std::to_string(n) + " items, one for each channel",
                        std::to_string(options.weights.size()) + " items");
}

std::optional<StreamSpec> Loudness::input() const {
  StreamSpec spec = StreamSpec::samples(options().sample_rate);
  if (options().channels > 1) spec.shape = {options().channels};
  return spec;
}

std::vector<Output> Loudness::describe(const StreamSpec& input) const {
  if (options().channels > 1) {
    const StreamSpec wanted = *this->input();
    if (input.shape != wanted.shape || !same_rate(input.rate_hz, wanted.rate_hz)) {
      throw ValueError("Loudness: expected samples " + to_string(wanted) + ", got " + to_string(input) +
                       "; set sample_rate and channels to those of the sound");
    }
  } else {
    require_samples(name, input, options().sample_rate);
  }
  StreamSpec spec;
  spec.shape = {1};
  spec.unit = "LUFS";
  if (options().kind == "integrated") return {{"", spec}};
  const double rate_hz = options().sample_rate;
  const double step = samples_per_step(options().sample_rate);
  const double window = steps_of(options().kind) * step;
  spec.rate_hz = rate_hz / step;
  spec.span_s = window / rate_hz;
  spec.latency_s = input.latency_s + (window - 1) / rate_hz;
  return {{"", spec}};
}

std::unique_ptr<Stream> Loudness::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<LoudnessStream>(options());
}

}  // namespace fastaudio
