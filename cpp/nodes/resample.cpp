#include "nodes/resample.hpp"

#include <algorithm>
#include <cstring>

#include "nodes/require.hpp"

namespace fastaudio {

namespace {

Resample::Options checked(Resample::Options options) {
  check_options(Resample::name, options);
  return options;
}

/// Halves the rate of a stream.
class Halver {
 public:
  explicit Halver(const dsp::HalvePlan& plan)
      : plan_(plan),
        input_(kBlock + 2 * static_cast<std::size_t>(plan.reach()) + 2),
        output_(kBlock / 2 + 1) {
    held_ = static_cast<std::size_t>(plan.reach());  // silence before the first sample
  }

  template <class Emit>
  void push(const float* samples, std::size_t n, Emit&& emit) {
    const auto window = 2 * static_cast<std::size_t>(plan_.reach()) + 1;
    while (n > 0) {
      const std::size_t taken = std::min(n, input_.size() - held_);
      std::memcpy(input_.data() + held_, samples, taken * sizeof(float));
      held_ += taken;
      samples += taken;
      n -= taken;
      if (held_ < window) return;
      const std::size_t n_out = (held_ - window) / 2 + 1;
      dsp::kernels().halve(plan_, input_.data(), n_out, output_.data());
      held_ -= 2 * n_out;
      std::memmove(input_.data(), input_.data() + 2 * n_out, held_ * sizeof(float));
      emit(output_.data(), n_out);
    }
  }

 private:
  static constexpr std::size_t kBlock = 32768;

  const dsp::HalvePlan& plan_;
  dsp::AlignedFloats input_;
  dsp::AlignedFloats output_;
  std::size_t held_;
};

class ResampleStream final : public Stream {
 public:
  explicit ResampleStream(std::shared_ptr<const Resample> node)
      : node_(std::move(node)),
        halvers_(node_->table().halvings().begin(), node_->table().halvings().end()),
        plan_(node_->table().plan()),
        capacity_(kBlock + static_cast<std::size_t>(plan_.taps + plan_.group_taps) + cycles()),
        input_(capacity_ + static_cast<std::size_t>(plan_.group_taps), 0.0f),
        output_(kBlock) {
    // Silence before the first sample, so that output 0 stands at time 0.
    held_ = static_cast<std::size_t>(node_->table().reach());
  }

 private:
  static constexpr std::size_t kBlock = 16384;

  void do_push(const float* samples, std::size_t n, Sink& sink) override {
    n_in_ += static_cast<std::int64_t>(n);
    feed(0, samples, n, sink);
  }

  void do_flush(Sink& sink) override {
    const std::vector<float> silence(kBlock, 0.0f);
    for (left_ = node_->table().outputs_of(n_in_) - n_out_; left_ > 0;) {
      feed(0, silence.data(), silence.size(), sink);
    }
  }

  /// Through the halvers from `stage` on, then to the outputs.
  void feed(std::size_t stage, const float* samples, std::size_t n, Sink& sink) {
    if (stage < halvers_.size()) {
      halvers_[stage].push(samples, n, [&](const float* halved, std::size_t n_halved) {
        feed(stage + 1, halved, n_halved, sink);
      });
      return;
    }
    while (n > 0 && left_ != 0) {
      const std::size_t taken = std::min(n, capacity_ - held_);
      std::memcpy(input_.data() + held_, samples, taken * sizeof(float));
      held_ += taken;
      samples += taken;
      n -= taken;
      convert(sink);
    }
  }

  /// Input samples of the cycles that the kernel takes at once, if they are short enough to wait for.
  std::size_t cycles() const {
    return static_cast<std::size_t>(std::min<std::int64_t>(4 * plan_.down, kBlock));
  }

  void convert(Sink& sink) {
    for (;;) {
      std::size_t n = dsp::kernels().resample(
          plan_, position_, input_.data(), static_cast<std::int64_t>(held_), output_.data(), output_.size());
      if (n == 0) break;
      if (left_ >= 0) {
        n = std::min(n, static_cast<std::size_t>(left_));
        left_ -= static_cast<std::int64_t>(n);
      }
      n_out_ += static_cast<std::int64_t>(n);
      if (n > 0) sink.write(0, output_.data(), n);
      if (left_ == 0) return;
    }
    const std::int64_t first =
        position_.index +
        (plan_.phases == 0
             ? plan_.start[position_.phase / dsp::ResamplePlan::kGroup * dsp::ResamplePlan::kGroup]
             : 0);
    const std::size_t used = std::min(static_cast<std::size_t>(std::max<std::int64_t>(first, 0)), held_);
    std::memmove(input_.data(), input_.data() + used, (held_ - used) * sizeof(float));
    held_ -= used;
    position_.index -= static_cast<std::int64_t>(used);
  }

  std::shared_ptr<const Resample> node_;
  std::vector<Halver> halvers_;
  const dsp::ResamplePlan& plan_;
  std::size_t capacity_;
  dsp::AlignedFloats input_;  ///< samples not used up yet, and values beyond that kernels may read
  dsp::AlignedFloats output_;
  std::size_t held_ = 0;
  dsp::ResamplePosition position_;
  std::int64_t n_in_ = 0;
  std::int64_t n_out_ = 0;
  std::int64_t left_ = -1;  ///< outputs still due, once the end is known
};

/// Equal rates: nothing to do.
class PassStream final : public Stream {
  void do_push(const float* samples, std::size_t n, Sink& sink) override { sink.write(0, samples, n); }
};

}  // namespace

Resample::Resample(Options options)
    : options_(checked(std::move(options))),
      table_(options_.input_rate, options_.output_rate, options_.quality) {}

std::vector<Output> Resample::outputs(const StreamSpec& input) const {
  require_samples(name, input, options_.input_rate);
  StreamSpec spec = StreamSpec::samples(options_.output_rate);
  spec.latency_s = input.latency_s;
  if (options_.input_rate != options_.output_rate) spec.latency_s += table_.support_s();
  return {{"", spec}};
}

std::unique_ptr<Stream> Resample::open(const StreamSpec& input) const {
  outputs(input);
  if (options_.input_rate == options_.output_rate) return std::make_unique<PassStream>();
  return std::make_unique<ResampleStream>(keep(this));
}

}  // namespace fastaudio
